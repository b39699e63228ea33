/** Files on a host and in the reference model. */
import { type File, type Host, SimError } from "../../src/index.ts";
import { accessFile, createFile, removeFile, truncateFile, writeBack } from "../reference/file.ts";
import { fileSystems } from "../reference/file-system.ts";
import type { Machine, Mapping } from "../reference/machine.ts";
import { hasLockedPage, isLockedInSwapCache } from "../reference/page-cache.ts";
import type { Range } from "../reference/process.ts";
import { run } from "../reference/state.ts";
import { returned } from "./answers.ts";
import type { FileOperation } from "./operations/file.ts";
import { pick } from "./regions.ts";
import { type Answers, nothing } from "./vcpu.ts";

const MAX_FILES = 6;

export interface FilePair {
  readonly core: File;
  readonly reference: Mapping;
}

type Of<K extends FileOperation["op"]> = Extract<FileOperation, { readonly op: K }>;

/** What a call returns, or the code of the error that it throws. */
export function orCode<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    if (error instanceof SimError) return error.code;
    throw error;
  }
}

export class Files {
  readonly #host: Host;
  readonly #machine: Machine;
  #files: FilePair[] = [];

  constructor(host: Host, machine: Machine) {
    this.#host = host;
    this.#machine = machine;
  }

  pick(number: number): FilePair | undefined {
    return pick(this.#files, number);
  }

  perform(operation: Exclude<FileOperation, Of<"mapFile">>): Answers {
    if (operation.op === "createFile") return this.#create(operation);
    const file = this.pick(operation.file);
    if (file === undefined) return nothing;
    switch (operation.op) {
      case "accessFile":
        return this.#access(file, operation);
      case "writeBack":
        return this.#writeBack(file, operation);
      case "truncateFile":
        return this.#truncate(file, operation);
      case "removeFile":
        return this.#remove(file);
      default:
        throw new Error("an operation without a case");
    }
  }

  #create({ kind, pages }: Of<"createFile">): Answers {
    if (this.#files.length === MAX_FILES) return nothing;
    const core = this.#host.createFile({ kind, pages });
    const reference = createFile(this.#machine, fileSystems[kind], pages);
    // In front, so that operations meet on what is new.
    this.#files.unshift({ core, reference });
    return { core: core.id, reference: reference.id };
  }

  /** `must` not touch a locked page: what the reference does, unless it would wait. */
  #unlessLocked(file: FilePair, { start, end }: Range, body: () => unknown): unknown {
    if (hasLockedPage(file.reference, start, end)) return "ERR_ARGUMENT";
    return run(this.#machine, body) ?? null;
  }

  #access(file: FilePair, { node, write, ...operation }: Of<"accessFile">): Answers {
    const pages = inFile(file, operation);
    const core = orCode(() => {
      const { errno } = write ? file.core.write({ ...pages, node }) : file.core.read({ ...pages, node });
      return errno;
    });
    const range = { start: pages.start, end: pages.start + pages.count };
    const access = (): unknown =>
      returned(accessFile(this.#machine, file.reference, range, { node, write }))?.errno;
    if (isLockedInSwapCache(file.reference, range.start, range.end))
      return { core, reference: "ERR_ARGUMENT" };
    const reference = write ? this.#unlessLocked(file, range, access) : (run(this.#machine, access) ?? null);
    return { core, reference };
  }

  #writeBack(file: FilePair, { wait, ...operation }: Of<"writeBack">): Answers {
    const pages = inFile(file, operation);
    const range = { start: pages.start, end: pages.start + pages.count };
    return {
      core: orCode(() => (wait ? file.core.sync(pages) : file.core.startWriteback(pages))),
      reference: this.#unlessLocked(file, range, () => writeBack(this.#machine, file.reference, range, wait)),
    };
  }

  #truncate(file: FilePair, { pages }: Of<"truncateFile">): Answers {
    const { size } = file.reference;
    const left = Math.min(pages, size);
    return {
      core: orCode(() => file.core.truncate(left)),
      reference: this.#unlessLocked(file, { start: left, end: size }, () =>
        truncateFile(this.#machine, file.reference, left),
      ),
    };
  }

  #remove(file: FilePair): Answers {
    const { vmas, size } = file.reference;
    const core = orCode(() => file.core.remove());
    if (vmas.length > 0) return { core, reference: "ERR_ARGUMENT" };
    const reference = this.#unlessLocked(file, { start: 0, end: size }, () =>
      removeFile(this.#machine, file.reference),
    );
    if (reference === null) this.#files = this.#files.filter((other) => other !== file);
    return { core, reference };
  }
}

/** Cuts a range to the file that it is in. */
function inFile(
  { reference }: FilePair,
  { start, count }: { readonly start: number; readonly count: number },
): { start: number; count: number } {
  const first = Math.min(start, reference.size);
  return { start: first, count: Math.min(count, reference.size - first) };
}
