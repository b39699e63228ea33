/** Operations of the differential tests on the files of a host alone. */
import { type File, type Host, type Process, SimError } from "../../src/index.ts";
import type { FileOperation } from "../differential/operations/file.ts";

const MAX_FILES = 6;

/** A file that is mapped is not removed. */
function removeUnmapped(file: File): void {
  try {
    file.remove();
  } catch (error) {
    if (!(error instanceof SimError) || error.code !== "ERR_ARGUMENT") throw error;
  }
}

function driveMap(
  operation: Extract<FileOperation, { readonly op: "mapFile" }>,
  file: File,
  process: Process,
): void {
  const { pages, node, bind, dontFork } = operation;
  const end = Math.max(0, ...process.regions().map((region) => region.start + region.pages));
  if (file.pages === 0 || process.pages - end < pages) return;
  const offset = operation.offset % file.pages;
  process.map({ file, offset, pages, at: end, bind, dontFork, ...(node >= 0 && { node }) });
}

/** `processes`: those that may map a file. */
export function driveFile(host: Host, operation: FileOperation, processes: readonly Process[]): void {
  const files = host.files();
  if (operation.op === "createFile") {
    if (files.length < MAX_FILES) host.createFile(operation);
    return;
  }
  const file = files[operation.file % files.length];
  if (file === undefined) return;
  switch (operation.op) {
    case "mapFile": {
      const process = processes[operation.process % processes.length];
      if (process !== undefined) driveMap(operation, file, process);
      break;
    }
    case "truncateFile":
      file.truncate(Math.min(operation.pages, file.pages));
      break;
    case "removeFile":
      removeUnmapped(file);
      break;
    case "writeBack":
      if (operation.wait) file.sync(inFile(file, operation));
      else file.startWriteback(inFile(file, operation));
      break;
    case "accessFile": {
      const range = { ...inFile(file, operation), node: operation.node };
      if (operation.write) file.write(range);
      else file.read(range);
      break;
    }
    default:
  }
}

/** Cuts a range to the file. */
function inFile(
  { pages }: File,
  range: { readonly start: number; readonly count: number },
): { start: number; count: number } {
  const start = Math.min(range.start, pages);
  return { start, count: Math.min(range.count, pages - start) };
}
