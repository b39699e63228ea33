/** What the schema of a scenario cannot say of its host: how its parts go together, and what fits into it. */
import { MAX_PFN, MAX_ZONES, PAGEBLOCK_PAGES } from "../../core/abi.ts";
import { namesIn, zoneKinds } from "../../core/names.ts";
import type { Contradiction } from "../contradiction.ts";
import { MAX_VCPUS } from "./host-schema.ts";
import { placedZones } from "./references.ts";
import type { ScenarioDocument } from "./schema.ts";

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function zoneContradictions(document: ScenarioDocument): Contradiction[] {
  const kinds: readonly string[] = namesIn(zoneKinds);
  const zones = placedZones(document);
  const found = zones.flatMap(({ node, position, kind, start, end }): Contradiction[] => {
    const path = ["host", "nodes", node, "zones", position];
    const before = zones.find((other) => other.node === node && other.position === position - 1);
    if (before !== undefined && kinds.indexOf(before.kind) >= kinds.indexOf(kind)) {
      return [{ path: [...path, "kind"], message: `${kind} cannot come behind ${before.kind} in a node` }];
    }
    if ((end - start) % PAGEBLOCK_PAGES === 0) return [];
    const message = `${end - start} pages are not a multiple of ${PAGEBLOCK_PAGES}, the pageblock (2MiB)`;
    return [{ path: [...path, "size"], message }];
  });
  const path = ["host", "nodes"];
  if (zones.length > MAX_ZONES) {
    found.push({ path, message: `there are ${zones.length} zones, at most ${MAX_ZONES} may be` });
  }
  const frames = zones.at(-1)?.end ?? 0;
  if (frames > MAX_PFN) {
    found.push({ path, message: `there are ${frames} frames, at most ${MAX_PFN} (256GiB) may be` });
  }
  return found;
}

function countContradictions({ host, guests, operations }: ScenarioDocument): Contradiction[] {
  const found: Contradiction[] = [];
  const vcpus = sum(guests.map((guest) => guest.vcpus));
  if (vcpus > MAX_VCPUS) {
    found.push({ path: ["guests"], message: `there are ${vcpus} vCPUs, at most ${MAX_VCPUS} may be` });
  }
  const forks = operations.filter((operation) => operation.do === "fork").length;
  // Whoever forks is one of the guests: the largest is the most that it can be.
  const children = forks * Math.max(...guests.map((guest) => guest.memory));
  const pages = sum(guests.map((guest) => guest.memory)) + children;
  if (pages > MAX_PFN) {
    const who = forks > 0 ? "guests and children of forks have" : "have";
    found.push({ path: ["guests"], message: `${who} ${pages} pages, at most ${MAX_PFN} (256GiB) may be` });
  }
  const slots = sum(host.swap.map((device) => device.size));
  if (slots >= MAX_PFN) {
    found.push({ path: ["host", "swap"], message: `has ${slots} pages, fewer than ${MAX_PFN} may be` });
  }
  return found;
}

/** Whether memory and swap hold what is touched before the clock starts. */
function roomContradictions(document: ScenarioDocument): Contradiction[] {
  const { host, guests } = document;
  const frames = placedZones(document).at(-1)?.end ?? 0;
  const swap = sum(host.swap.map((device) => device.size));
  const found: Contradiction[] = [];
  const limit = host.memoryLimit ?? frames;
  if (host.memoryLimit !== undefined && host.memoryLimit >= frames) {
    const message = `${limit} pages are not less than the host has, ${frames}: leave it out for no limit`;
    found.push({ path: ["host", "memoryLimit"], message });
  }
  const touched = sum(guests.map((guest) => guest.touched ?? guest.memory));
  const room = Math.min(limit, frames) + swap;
  if (touched > room) {
    const message = `touch ${touched} pages at first, and memory and swap have room for ${room}`;
    found.push({ path: ["guests"], message });
  }
  const swappedOut = sum(
    guests.map((guest) => Math.ceil(((guest.touched ?? guest.memory) * guest.swappedOut) / 1000)),
  );
  if (swappedOut > swap) {
    const message = `have ${swappedOut} pages swapped out at first, and swap has room for ${swap}`;
    found.push({ path: ["guests"], message });
  }
  return found;
}

/** All contradictions of a scenario about its host. */
export function hostContradictions(document: ScenarioDocument): Contradiction[] {
  const found = zoneContradictions(document);
  return [
    ...found,
    ...countContradictions(document),
    ...(found.length > 0 ? [] : roomContradictions(document)),
  ];
}
