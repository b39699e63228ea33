/**
 * Traces as CSV. With the head `page,write` a line is a page of the task's range, counted from 0, and whether
 * it is written: 0, 1, false, true. Otherwise the columns are libCacheSim's, with or without a head: time,
 * object, and if they are there size and operation. Objects become pages in the order of their first access.
 */
import { MAX_PFN } from "../../core/abi.ts";
import type { TraceAccess } from "../scenario.ts";
import { MAX_ACCESSES, ObjectPages, TraceError } from "./trace-error.ts";

const WRITES: Readonly<Record<string, boolean>> = { "0": false, "1": true, false: false, true: true };

/** libCacheSim's operations (enum req_op), and whether they write. */
const OPERATIONS: Readonly<Record<string, boolean>> = {
  nop: false,
  get: false,
  gets: false,
  read: false,
  set: true,
  add: true,
  cas: true,
  replace: true,
  append: true,
  prepend: true,
  delete: true,
  incr: true,
  decr: true,
  write: true,
  update: true,
};

type Row = readonly (string | undefined)[];
/** An access, or in words what is wrong with the line. */
type Read = (row: Row) => TraceAccess | string;

function readPage([page = "", write = "", ...rest]: Row): TraceAccess | string {
  if (rest.length > 0) return "has more than two columns";
  if (!/^\d{1,8}$/.test(page) || Number(page) >= MAX_PFN)
    return `${JSON.stringify(page)} is not a page number`;
  const known = Object.hasOwn(WRITES, write) ? WRITES[write] : undefined;
  return known === undefined
    ? `${JSON.stringify(write)} is not one of ${Object.keys(WRITES).join(", ")}`
    : { page: Number(page), write: known };
}

const NUMBER = /^-?\d+(\.\d+)?$/;

function readerOfObjects(): Read {
  const pages = new ObjectPages<string>();
  return ([time = "", object = "", size = "0", operation = "get", ...rest]) => {
    if (rest.length > 0) return "has more than four columns";
    if (!NUMBER.test(time)) return `its time, ${JSON.stringify(time)}, is not a number`;
    if (object === "") return "has no object";
    if (!/^\d+$/.test(size)) return `its size, ${JSON.stringify(size)}, is not a number`;
    const name = operation.toLowerCase();
    const write = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
    if (write !== undefined) return { page: pages.pageOf(object), write };
    return `${JSON.stringify(operation)} is not one of ${Object.keys(OPERATIONS).join(", ")}`;
  };
}

function cells(line: string): string[] {
  return line.split(",").map((cell) => cell.trim());
}

/** @throws {TraceError} naming the line */
export function readCsvTrace(text: string, file: string): readonly TraceAccess[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const first = cells(lines[0] ?? "");
  const ofPages = first.join(",").toLowerCase() === "page,write";
  const hasHead = ofPages || /^[a-z]/i.test(first[0] ?? "");
  const read = ofPages ? readPage : readerOfObjects();
  const accesses: TraceAccess[] = [];
  for (const [i, line] of lines.entries()) {
    if ((i === 0 && hasHead) || line.trim() === "") continue;
    const access = read(cells(line));
    if (typeof access === "string") throw new TraceError(`${file}:${i + 1}: ${access}`);
    accesses.push(access);
    if (accesses.length > MAX_ACCESSES) {
      throw new TraceError(`${file}:${i + 1}: has more than ${MAX_ACCESSES} accesses`);
    }
  }
  if (accesses.length === 0) throw new TraceError(`${file}: has no accesses`);
  return accesses;
}
