/** Operations on files. */
import * as fc from "fast-check";
import type { FileKind } from "../../../src/core/names.ts";
import { type Arbitraries, node, op, page, rarely, usually, which } from "./arbitraries.ts";

interface InFile {
  readonly file: number;
  readonly start: number;
  readonly count: number;
}

export type FileOperation =
  | { readonly op: "createFile"; readonly kind: FileKind; readonly pages: number }
  | {
      readonly op: "mapFile";
      readonly file: number;
      readonly process: number;
      readonly offset: number;
      /** May reach beyond the end of the file. */
      readonly pages: number;
      readonly node: number;
      readonly bind: boolean;
      readonly dontFork: boolean;
    }
  | ({ readonly op: "accessFile"; readonly node: number; readonly write: boolean } & InFile)
  | ({ readonly op: "writeBack"; readonly wait: boolean } & InFile)
  | { readonly op: "truncateFile"; readonly file: number; readonly pages: number }
  | { readonly op: "removeFile"; readonly file: number };

const inFile = { file: which, start: page, count: fc.integer({ min: 1, max: 8 }) };

export const fileOperations: Arbitraries<FileOperation> = {
  createFile: fc.record({
    ...op("createFile"),
    kind: fc.constantFrom("tmpfs", "plain", "buffered", "no-migratepage", "no-writepage", "io-error"),
    pages: fc.integer({ min: 1, max: 8 }),
  }),
  mapFile: fc.record({
    ...op("mapFile"),
    file: which,
    process: which,
    offset: page,
    pages: fc.integer({ min: 1, max: 8 }),
    node: fc.constantFrom(-1, 0, 1),
    bind: fc.boolean(),
    dontFork: rarely,
  }),
  accessFile: fc.record({ ...op("accessFile"), ...inFile, node, write: usually }),
  writeBack: fc.record({ ...op("writeBack"), ...inFile, wait: fc.boolean() }),
  truncateFile: fc.record({ ...op("truncateFile"), file: which, pages: fc.nat({ max: 7 }) }),
  removeFile: fc.record({ ...op("removeFile"), file: which }),
};
