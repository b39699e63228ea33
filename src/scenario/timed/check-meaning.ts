/** What a schema cannot say of a scenario: what one entry means for another. */
import { MEMORY_BLOCK_PAGES } from "../../core/abi.ts";
import type { Contradiction } from "../contradiction.ts";
import { parseVariant } from "../variant.ts";
import type { Path } from "../yaml-text.ts";
import {
  doubledNames,
  guestContradictions,
  guestsContradictions,
  nodeContradictions,
} from "./check-guests.ts";
import { hostContradictions } from "./check-host.ts";
import type { OperationDocument } from "./operation-schema.ts";
import { guestOf, namesOf, placedZones } from "./references.ts";
import type { ScenarioDocument } from "./schema.ts";

const MAX_INTERVALS = 100_000;

/** A memory block that is not there, or that no zone has as a whole. */
function blockContradictions(block: number, path: Path, document: ScenarioDocument): Contradiction[] {
  const zones = placedZones(document);
  const start = block * MEMORY_BLOCK_PAGES;
  const end = start + MEMORY_BLOCK_PAGES;
  const at = [...path, "block"];
  const last = Math.floor((zones.at(-1)?.end ?? 0) / MEMORY_BLOCK_PAGES) - 1;
  if (block > last) {
    const has = last < 0 ? "the host has less than 128MiB" : `the host has 0 … ${last}, of 128MiB each`;
    return [{ path: at, message: `there is no whole block ${block}: ${has}` }];
  }
  if (zones.some((zone) => zone.start <= start && zone.end >= end)) return [];
  return [{ path: at, message: `block ${block} lies in more than one zone, and such a block stays online` }];
}

function vcpuContradictions(
  operation: Extract<OperationDocument, { do: "pause" | "resume" }>,
  path: Path,
  document: ScenarioDocument,
): Contradiction[] {
  const found = guestContradictions(operation, path, document);
  const guest = guestOf(document, operation.guest);
  if (guest === undefined || operation.vcpu === undefined || operation.vcpu < guest.vcpus) return found;
  const has = guest.vcpus === 1 ? "one vCPU" : `${guest.vcpus} vCPUs`;
  const message = `there is no vCPU ${operation.vcpu}: the guest has ${has}, counted from 0`;
  return [...found, { path: [...path, "vcpu"], message }];
}

function operationContradictions(
  operation: OperationDocument,
  path: Path,
  document: ScenarioDocument,
): Contradiction[] {
  switch (operation.do) {
    case "offline":
      return blockContradictions(operation.block, path, document);
    case "move-pages":
      return [
        ...guestContradictions(operation, path, document),
        ...nodeContradictions(operation.toNode, path, document.host.nodes.length),
      ];
    case "pause":
    case "resume":
      return vcpuContradictions(operation, path, document);
    case "resize": {
      const frames = placedZones(document).at(-1)?.end ?? 0;
      if (operation.memoryLimit <= frames) return [];
      const message = `${operation.memoryLimit} pages are more than the host has, ${frames}`;
      return [{ path: [...path, "memoryLimit"], message }];
    }
    case "fork":
    case "kill":
    case "pin":
      return guestContradictions(operation, path, document);
    case "signal":
    case "drain":
      return [];
    default:
      return operation satisfies never;
  }
}

/** Entries of a list that mean the same as one before. */
function doubled(entries: readonly (string | number)[], path: Path): Contradiction[] {
  return entries.flatMap((entry, i) => {
    const first = entries.indexOf(entry);
    return first === i ? [] : [{ path: [...path, i], message: `is the same as [${first}]` }];
  });
}

function runContradictions(document: ScenarioDocument): Contradiction[] {
  const { policies, seeds, duration, interval, verify, untilDone, operations } = document;
  const found = [
    ...doubled(
      policies.map((text) => JSON.stringify(parseVariant("", text))),
      ["policies"],
    ),
    ...doubled(seeds, ["seeds"]),
  ];
  for (const [key, ns] of Object.entries({ interval, verify })) {
    if (ns !== undefined && ns > duration)
      found.push({ path: [key], message: "is longer than the duration" });
  }
  if (interval !== undefined && duration / interval > MAX_INTERVALS) {
    found.push({ path: ["interval"], message: `the duration has more than ${MAX_INTERVALS} of them` });
  }
  if (untilDone === true && operations.length === 0) {
    found.push({ path: ["untilDone"], message: "there are no operations that could be done" });
  }
  return found;
}

/** All contradictions of a scenario that has the right shape. */
export function contradictions(document: ScenarioDocument): Contradiction[] {
  const { operations, duration } = document;
  return [
    ...runContradictions(document),
    ...hostContradictions(document),
    ...guestsContradictions(document),
    ...operations.flatMap((operation, i) => {
      const path = ["operations", i];
      const found = operationContradictions(operation, path, document);
      return operation.at > duration
        ? [...found, { path: [...path, "at"], message: "is after the end" }]
        : found;
    }),
    ...doubledNames(
      namesOf(operations, (operation) => operation.do),
      ["operations"],
    ),
  ];
}
