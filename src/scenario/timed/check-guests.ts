/** What the schema of a scenario cannot say of its guests, and of those who work on their pages. */
import type { Contradiction } from "../contradiction.ts";
import type { Path } from "../yaml-text.ts";
import type { GuestDocument, TasksDocument } from "./guest-schema.ts";
import { guestNames, guestOf, namesOf, rangeOf } from "./references.ts";
import type { ScenarioDocument } from "./schema.ts";

/** Names that more than one entry has, at all but the first of them. */
export function doubledNames(names: readonly string[], path: Path): Contradiction[] {
  return names.flatMap((name, i) => {
    const first = names.indexOf(name);
    return first === i ? [] : [{ path: [...path, i, "name"], message: `[${first}] is called ${name}, too` }];
  });
}

interface Ranged {
  readonly firstPage: number;
  readonly pages?: number;
}

/** A range that does not lie in the guest's memory. */
function rangeContradictions(entry: Ranged, path: Path, guest: GuestDocument): Contradiction[] {
  const { firstPage, pages } = rangeOf(entry, guest);
  const has = `the guest has ${guest.memory} pages`;
  if (firstPage >= guest.memory) {
    return [
      { path: [...path, "firstPage"], message: `there is no page ${firstPage}: ${has}, counted from 0` },
    ];
  }
  if (firstPage + pages <= guest.memory) return [];
  return [{ path: [...path, "pages"], message: `the range ends at page ${firstPage + pages}, and ${has}` }];
}

/** Whom an entry means, and which pages. */
export function guestContradictions(
  entry: { readonly guest?: string } & Partial<Ranged>,
  path: Path,
  document: ScenarioDocument,
): Contradiction[] {
  const guest = guestOf(document, entry.guest);
  const { firstPage, pages } = entry;
  if (guest === undefined) {
    const names = guestNames(document).join(", ");
    const wrong = entry.guest === undefined ? "is missing, there are" : `there is no ${entry.guest}, only`;
    return [{ path: [...path, "guest"], message: `${wrong} ${names}` }];
  }
  if (firstPage === undefined) return [];
  return rangeContradictions(pages === undefined ? { firstPage } : { firstPage, pages }, path, guest);
}

function patternContradictions({ pattern }: TasksDocument, path: Path, pages: number): Contradiction[] {
  const at = [...path, "pattern"];
  if (pattern.kind === "shift" && pattern.pages > pages) {
    const message = `a window of ${pattern.pages} pages does not fit into a range of ${pages}`;
    return [{ path: [...at, "shift", "pages"], message }];
  }
  if (pattern.kind !== "ping-pong" || pages > 1) return [];
  return [{ path: at, message: "a range of one page has no halves" }];
}

function taskContradictions(tasks: TasksDocument, path: Path, guest: GuestDocument): Contradiction[] {
  const { sleepEvery, sleepFor } = tasks;
  const found = rangeContradictions(tasks, path, guest);
  if (found.length === 0) found.push(...patternContradictions(tasks, path, rangeOf(tasks, guest).pages));
  if (sleepEvery > 0 && sleepFor === 0) {
    found.push({ path: [...path, "sleepEvery"], message: "it sleeps for 0s: give sleepFor" });
  }
  if (sleepEvery === 0 && sleepFor > 0) {
    found.push({ path: [...path, "sleepFor"], message: "it never sleeps: give sleepEvery" });
  }
  return found;
}

function ownContradictions(guest: GuestDocument, path: Path): Contradiction[] {
  const found = guest.tasks.flatMap((tasks, i) => taskContradictions(tasks, [...path, "tasks", i], guest));
  const names = namesOf(guest.tasks, () => "tasks");
  found.push(...doubledNames(names, [...path, "tasks"]));
  if (guest.touched !== undefined && guest.touched > guest.memory) {
    const message = `the guest has ${guest.memory} pages, not ${guest.touched}`;
    found.push({ path: [...path, "touched"], message });
  }
  return found;
}

/** Pins of one pinner at one time. */
const MAX_PINS = 2 ** 24;

function pinnerContradictions(
  pinner: ScenarioDocument["pinners"][number],
  path: Path,
  document: ScenarioDocument,
): Contradiction[] {
  const { start, perSecond, atOnce, hold } = pinner;
  const found = guestContradictions(pinner, path, document);
  if (start > document.duration) found.push({ path: [...path, "start"], message: "is after the end" });
  if (perSecond === 0 && atOnce === 0) {
    found.push({ path, message: "pins nothing: give perSecond or atOnce" });
  }
  const longest = Math.min(hold?.points.at(-1)?.ns ?? Infinity, document.duration);
  const pins = atOnce + Math.ceil((perSecond * longest) / 1e9);
  if (pins > MAX_PINS) {
    found.push({ path, message: `holds up to ${pins} pins at one time, at most ${MAX_PINS} may be` });
  }
  return found;
}

/** All contradictions of a scenario about its guests and those who pin or move their pages. */
export function guestsContradictions(document: ScenarioDocument): Contradiction[] {
  const { guests, pinners, migrations, host } = document;
  return [
    ...doubledNames(guestNames(document), ["guests"]),
    ...guests.flatMap((guest, i) => ownContradictions(guest, ["guests", i])),
    ...pinners.flatMap((pinner, i) => pinnerContradictions(pinner, ["pinners", i], document)),
    ...migrations.flatMap((migration, i) => {
      const path = ["migrations", i];
      return [
        ...guestContradictions(migration, path, document),
        ...nodeContradictions(migration.toNode, path, host.nodes.length),
      ];
    }),
  ];
}

/** A node that there is not. */
export function nodeContradictions(toNode: number, path: Path, nrNodes: number): Contradiction[] {
  if (toNode < nrNodes) return [];
  const has = nrNodes === 1 ? "one node" : `${nrNodes} nodes`;
  return [{ path: [...path, "toNode"], message: `there is no node ${toNode}: the host has ${has}, from 0` }];
}
