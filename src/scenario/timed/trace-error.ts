/** Accesses that are read at most: all of them are held in memory. */
export const MAX_ACCESSES = 2 ** 24;

/** A trace that cannot be read as it stands: `FILE:LINE: message`, or the number of the record. */
export class TraceError extends Error {
  override readonly name = "TraceError";
}

/** Pages for objects, in the order of their first access. */
export class ObjectPages<Id extends string | bigint> {
  readonly #pages = new Map<Id, number>();

  pageOf(id: Id): number {
    const known = this.#pages.get(id);
    if (known !== undefined) return known;
    const page = this.#pages.size;
    this.#pages.set(id, page);
    return page;
  }
}
