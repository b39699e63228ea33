/** A full recount of everything, and what it finds. */
import type { Core } from "../core/core.ts";
import { type Invariant, invariantName } from "../core/names.ts";
import { type Holder, holdersOf } from "./holders.ts";

/** The first invariant that a full recount found broken. */
export interface Violation {
  readonly invariant: Invariant;
  /** The page, 0 if the violation is not one of a page. */
  readonly pfn: number;
  /** Process, work item, counter or list, as the invariant says. */
  readonly object: number;
  readonly expected: number;
  readonly found: number;
  /** Who holds the page. */
  readonly holders: readonly Holder[];
}

/** Recounts everything and names the first invariant that does not hold. Null: all hold. */
export function violationOf(core: Core): Violation | null {
  const invariant = core.read((x) => x.verify());
  if (invariant === 0) return null;
  const found = core.violation();
  return {
    invariant: invariantName(invariant),
    ...found,
    holders: found.pfn > 0 ? holdersOf(core, found.pfn) : [],
  };
}
