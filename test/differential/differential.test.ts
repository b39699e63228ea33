/** The core against the reference model, operation by operation, on both of its builds. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CoreName, cores, runOn } from "../helpers/cores.ts";
import { anyVariant, machine } from "../helpers/machines.ts";
import { fuzzTimeoutMs, runs } from "../helpers/runs.ts";
import { check } from "./check.ts";
import { type Kind, operations } from "./operations.ts";

const outside: readonly Kind[] = ["flag"];
const blocks: readonly Kind[] = ["offline", "online", "reserve"];

describe.each(cores)("the %s core does what the reference model does", (core: CoreName) => {
  it(
    "with few free frames",
    async () => {
      runOn(core);
      const list = operations({ without: [...blocks, ...outside], maxLength: 40 });
      const property = fc.asyncProperty(anyVariant, fc.boolean(), list, async (one, rodata, ops) =>
        check(machine(one, "small", rodata), ops, "small"),
      );
      await expect(fc.assert(property, runs())).resolves.toBeUndefined();
    },
    fuzzTimeoutMs,
  );

  it(
    "when processes share pages, and migrations go step by step",
    async () => {
      runOn(core);
      const often: readonly Kind[] = ["fork", "pin", "beginSteps", "nextStep"];
      const list = operations({ without: [...blocks, ...outside], often, maxLength: 40 });
      const property = fc.asyncProperty(anyVariant, fc.boolean(), list, async (one, rodata, ops) =>
        check(machine(one, "small", rodata), ops, "family"),
      );
      await expect(fc.assert(property, runs())).resolves.toBeUndefined();
    },
    fuzzTimeoutMs,
  );

  it(
    "when equal pages are merged",
    async () => {
      runOn(core);
      const often: readonly Kind[] = [
        "writeEqual",
        "mergeKsm",
        "protect",
        "mlock",
        "fork",
        "pin",
        "nextStep",
      ];
      const list = operations({ without: [...blocks, ...outside], often, maxLength: 40 });
      const start = fc.constantFrom("equal", "family", "tiny");
      const property = fc.asyncProperty(anyVariant, start, list, async (one, begun, ops) =>
        check(machine(one, "small"), ops, begun),
      );
      await expect(fc.assert(property, runs())).resolves.toBeUndefined();
    },
    fuzzTimeoutMs,
  );

  it(
    "when memory is swapped out",
    async () => {
      runOn(core);
      const often: readonly Kind[] = [
        "swapOn",
        "pageout",
        "reclaimPage",
        "endWriteback",
        "fork",
        "beginSteps",
      ];
      const list = operations({ without: [...blocks, ...outside], often, maxLength: 40 });
      const property = fc.asyncProperty(anyVariant, fc.boolean(), list, async (one, rodata, ops) =>
        check(
          machine(one, "small", rodata),
          [{ op: "swapOn", pages: 8, synchronous: rodata }, ...ops],
          "family",
        ),
      );
      await expect(fc.assert(property, runs())).resolves.toBeUndefined();
    },
    fuzzTimeoutMs,
  );

  it(
    "with pages that are locked, under writeback or dirty from outside",
    async () => {
      runOn(core);
      const list = operations({ without: blocks, often: ["flag"], maxLength: 40 });
      const property = fc.asyncProperty(anyVariant, fc.boolean(), list, async (one, rodata, ops) =>
        check(machine(one, "small", rodata), ops, "family"),
      );
      await expect(fc.assert(property, runs(0.5))).resolves.toBeUndefined();
    },
    fuzzTimeoutMs,
  );

  it(
    "when memory goes offline and online",
    async () => {
      runOn(core);
      const list = operations({ without: outside, often: ["offline"], maxLength: 20 });
      const property = fc.asyncProperty(anyVariant, fc.boolean(), list, async (one, rodata, ops) =>
        check(machine(one, "blocks", rodata), ops, "blocks"),
      );
      await expect(fc.assert(property, runs(0.5))).resolves.toBeUndefined();
    },
    fuzzTimeoutMs,
  );
});
