/** What a schema cannot say of a model: what one entry means for another. */
import type { Contradiction } from "../contradiction.ts";
import type { Operation, ProcessOperation } from "./model.ts";
import { accessTexts, processTexts, type ActorDocument, type ModelDocument } from "./schema.ts";
import type { Path } from "../yaml-text.ts";

function counted(count: number, what: string): string {
  if (count === 0) return "the model has none";
  return `the model has ${count === 1 ? `one ${what}` : `${count} ${what}s`}, counted from 0`;
}

/** Pages that a list names and the model does not have. */
function missingPages(pages: readonly (number | undefined)[], path: Path, nrPages: number): Contradiction[] {
  return pages.flatMap((page, i) => {
    if (page === undefined || page < nrPages) return [];
    return [{ path: [...path, i], message: `there is no page ${page}: ${counted(nrPages, "page")}` }];
  });
}

/** Operations of a process in an order that cannot be; it may have a child from the start. */
function wrongOrder(
  operations: readonly (Operation<ProcessOperation> | undefined)[],
  path: Path,
  hasChild: boolean,
): Contradiction[] {
  let child = hasChild;
  return operations.flatMap((operation, i) => {
    const op = operation?.op;
    const hadChild = child;
    if (op === "fork") child = true;
    if (op === "exit-child") child = false;
    let message = "";
    if (op === "exit" && i !== operations.length - 1) message = "nothing can come after it";
    if (op === "fork" && hadChild) message = "there is a child already";
    if ((op === "write-child" || op === "exit-child") && !hadChild) message = "there is no child: fork first";
    return message === "" ? [] : [{ path: [...path, i], message }];
  });
}

/** An entry that is no actor, or more than one. */
function miscounted(entry: ActorDocument, path: Path): Contradiction[] {
  const kinds = Object.keys(entry);
  if (kinds.length === 1) return [];
  const found = kinds.length === 0 ? "is empty" : `is ${kinds.join(" and ")}`;
  return [{ path, message: `${found}: an entry is one actor` }];
}

function actorContradictions(entry: ActorDocument, path: Path, model: ModelDocument): Contradiction[] {
  const { vcpu, process, reset } = entry;
  const nrPages = model.pages.length;
  if (vcpu !== undefined) {
    const pages = vcpu.access.map((text) => accessTexts.get(text)?.page);
    return missingPages(pages, [...path, "vcpu", "access"], nrPages);
  }
  if (process !== undefined) {
    const operations = process.do.map((text) => processTexts.get(text));
    const at = [...path, "process", "do"];
    const pages = operations.map((operation) => operation?.page);
    return [
      ...missingPages(pages, at, nrPages),
      ...wrongOrder(operations, at, model.pages.includes("shared")),
    ];
  }
  if (reset !== undefined) {
    const nrVcpus = model.actors.filter((other) => other.vcpu !== undefined).length;
    if (reset.vcpu < nrVcpus) return [];
    const message = `there is no vCPU ${reset.vcpu}: ${counted(nrVcpus, "vCPU")}`;
    return [{ path: [...path, "reset", "vcpu"], message }];
  }
  return (["migrator", "reclaimer", "pinner"] as const).flatMap((kind) =>
    missingPages(entry[kind]?.pages ?? [], [...path, kind, "pages"], nrPages),
  );
}

/** All contradictions of a model that has the right shape. */
export function contradictions(model: ModelDocument): Contradiction[] {
  const entries = model.actors.map((entry, i) => ({ entry, path: ["actors", i] }));
  const wrong = entries.flatMap(({ entry, path }) => miscounted(entry, path));
  if (wrong.length > 0) return wrong;
  return entries.flatMap(({ entry, path }) => actorContradictions(entry, path, model));
}
