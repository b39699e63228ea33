/** What file systems do with their pages. */

export interface FileSystem {
  /** The only copy of a page is the one in memory: it is swapped, never written back. */
  readonly inMemory: boolean;
  /** Pages have buffer heads, which hold a reference. */
  readonly buffers: boolean;
  readonly migratepage: "migrate_page" | "buffer_migrate_page" | "none";
  /** What migration can have written; fsync(2) works for all. */
  readonly writepage: "works" | "fails" | "none";
}

const plain: FileSystem = {
  inMemory: false,
  buffers: false,
  migratepage: "migrate_page",
  writepage: "works",
};

export const fileSystems = {
  tmpfs: { ...plain, inMemory: true },
  plain,
  buffered: { ...plain, buffers: true, migratepage: "buffer_migrate_page" },
  "no-migratepage": { ...plain, migratepage: "none" },
  "no-writepage": { ...plain, migratepage: "none", writepage: "none" },
  "io-error": { ...plain, migratepage: "none", writepage: "fails" },
} as const satisfies Record<string, FileSystem>;

export type FileKind = keyof typeof fileSystems;

/** vma_needs_dirty_tracking(): writes through mappings have to be noticed. */
export function tracksDirtyPages({ inMemory }: FileSystem): boolean {
  return !inMemory;
}
