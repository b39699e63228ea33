/** The files that a case maps, and which of them a device is writing. */
import type { FileKind } from "../../core/names.ts";
import { SimError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import type { File } from "../../host/file.ts";

interface Known {
  readonly file: File;
  readonly kind: FileKind;
  /** Processes that have mapped it by its name. */
  readonly mappers: Set<string>;
}

interface Writeback {
  readonly file: File;
  readonly endsAtNs: number;
}

export class Files {
  readonly #host: Host;
  /** By the name of the region that maps it. */
  readonly #files = new Map<string, Known>();
  #writebacks: readonly Writeback[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  /** The file that other processes map under that name, or a new one if there is none. */
  open(by: string, name: string, kind: FileKind, pages: number): File {
    const known = this.#files.get(name);
    if (known?.kind === kind && known.file.pages === pages && !known.mappers.has(by)) {
      known.mappers.add(by);
      return known.file;
    }
    const file = this.#host.createFile({ kind, pages });
    this.#files.set(name, { file, kind, mappers: new Set([by]) });
    return file;
  }

  /** What the file system of a region does with its pages, null if the region is of no file. */
  kindOf(name: string): FileKind | null {
    return this.#files.get(name)?.kind ?? null;
  }

  /** Lets a device write all pages of a file, and answer after so long. */
  startWriteback(name: string, durationNs: number): void {
    const known = this.#files.get(name);
    if (known === undefined) throw new SimError("ERR_ARGUMENT", `region: "${name}" is of no file`);
    known.file.write();
    known.file.startWriteback();
    this.#writebacks = [...this.#writebacks, { file: known.file, endsAtNs: this.#host.nowNs + durationNs }];
  }

  /** Ends what a device has answered by now. Where somebody has waited for a page, that time passes first. */
  endWritebacks(): void {
    for (const { file, endsAtNs } of this.#writebacks) {
      if (!this.#inFlight(file)) this.#host.wait(Math.max(0, endsAtNs - this.#host.nowNs));
      if (this.#host.nowNs >= endsAtNs) file.sync();
    }
    this.#writebacks = this.#writebacks.filter(({ endsAtNs }) => this.#host.nowNs < endsAtNs);
  }

  /** Whether all pages of a file are under writeback: nobody has waited for one. */
  #inFlight(file: File): boolean {
    const pfns = Array.from({ length: file.pages }, (_, index) => file.pfnOf(index));
    return pfns.every((pfn) => pfn !== null && this.#host.pages.at(pfn).flags.includes("writeback"));
  }
}
