/** Whom and what the entries of a scenario mean: names and ranges, with their defaults. */
import type { GuestDocument } from "./guest-schema.ts";
import type { ScenarioDocument } from "./schema.ts";

/** Names of entries: their own; otherwise `word`, numbered from 0 if there are several of the kind. */
export function namesOf<Entry extends { readonly name?: string }>(
  entries: readonly Entry[],
  word: (entry: Entry) => string,
): string[] {
  return entries.map((entry, i) => {
    const kind = word(entry);
    const isKind = (other: Entry): boolean => word(other) === kind;
    const several = entries.filter(isKind).length > 1;
    const nr = entries.slice(0, i).filter(isKind).length;
    return entry.name ?? (several ? `${kind}-${nr}` : kind);
  });
}

export function guestNames({ guests }: ScenarioDocument): string[] {
  return namesOf(guests, () => "guest");
}

/** The guest of that name, or without one the only one. */
export function guestOf(document: ScenarioDocument, name: string | undefined): GuestDocument | undefined {
  const { guests } = document;
  if (name === undefined) return guests.length === 1 ? guests[0] : undefined;
  return guests[guestNames(document).indexOf(name)];
}

/** The range of guest pages that an entry means. */
export function rangeOf(
  { firstPage, pages }: { readonly firstPage: number; readonly pages?: number },
  guest: GuestDocument,
): { readonly firstPage: number; readonly pages: number } {
  return { firstPage, pages: pages ?? guest.memory - firstPage };
}

export interface PlacedZone {
  readonly node: number;
  /** Number in its node. */
  readonly position: number;
  readonly kind: string;
  /** Frames from start to end - 1. */
  readonly start: number;
  readonly end: number;
}

/** Zones by address: one behind the other in the order of the nodes. */
export function placedZones({ host }: ScenarioDocument): PlacedZone[] {
  let end = 0;
  return host.nodes.flatMap(({ zones }, node) =>
    zones.map(({ kind, size }, position) => {
      const start = end;
      end += size;
      return { node, position, kind, start, end };
    }),
  );
}
