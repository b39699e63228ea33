/**
 * The defects of the RFC that are known from reading it, each found by the search: at the layer of repairs
 * that unmasks it, by an invariant, in a small model. Nothing in the core knows their names. With all repairs
 * none is left, and v3.12 has none of them.
 */
import { describe, expect, it } from "vitest";
import { type FindingName, nameOfEvent } from "../../src/run/explore/finding.ts";
import type { Variant } from "../../src/run/explore/machine.ts";
import { builtinModels } from "../../src/scenario/model/builtin.ts";
import { dropGet, machineOf, pin, rfc, searchAll } from "../unit/explore/machines.ts";

async function findingsIn(model: string, variant: Variant): Promise<FindingName[]> {
  const { events } = await searchAll(await machineOf(model, variant));
  return events.map(nameOfEvent);
}

type Row = readonly [
  defect: string,
  layers: readonly number[],
  model: string,
  invariant: string,
  transition: string,
];

// prettier-ignore
const catalogue: readonly Row[] = [
  ["apf-mapping-uninitialised", [0], "migrate", "INV-LOCK", "unmap"],
  ["apf-mapping-uninitialised, reclaim", [0], "reclaim", "INV-LOCK", "check references"],
  ["apf-mapping-null-bdi, reclaim", [0, 1], "reclaim", "INV-NULL", "test congestion"],
  ["apf-mapping-partial-aops: private_lock", [0], "unmap", "INV-LOCK", "clear PTE"],
  ["anon-tag-lost-unmap: the tag", [1, 2], "migrate", "INV-TAG", "store mapping"],
  ["anon-tag-lost-unmap: it never moves", [1, 2], "migrate", "INV-MOVE", "put back"],
  ["anon-tag-lost-reclaim", [2], "reclaim", "INV-TAG", "store mapping"],
  ["anon-tag-lost-rss, zap", [2, 3, 4], "unmap", "INV-RSS", "clear PTE"],
  ["anon-tag-lost-rss, fork", [2, 3, 4], "fork", "INV-RSS", "copy PTE"],
  ["anon-tag-lost-vmstat", [2, 3], "unmap", "INV-VMSTAT", "remove rmap"],
  ["anon-tag-lost-vmstat, memcg", [2, 3], "discard", "INV-VMSTAT", "put page"],
  ["anon-vma-not-held", [3, 4], "migrate-unmap", "INV-UAF", "remap"],
  ["tagged-pointer-as-mapping", [0, 1, 2], "migrate", "INV-LOCK", "check count"],
  ["ctx-uaf-in-callback, look", [0, 1, 2, 3, 4], "migrate", "INV-UAF", "read context"],
  ["ctx-uaf-in-callback, check", [3, 4], "migrate", "INV-UAF", "check count"],
  ["ctx-uaf-in-callback, copy", [3, 4], "migrate", "INV-UAF", "copy"],
  ["one-shot-migration", [4], "migrate-twice", "INV-MOVE", "put back"],
  ["ctx-leak-gup-fail", [0, 1, 2, 3, 4], "gup-fails", "INV-CTX", "test PageAnon"],
  ["ctx-leak-not-anon", [0, 1, 2, 3, 4], "not-anonymous", "INV-CTX", "test PageAnon"],
  ["ctx-leak-after-migrate", [3, 4], "migrate", "INV-CTX", "copy"],
  ["ctx-shared-by-two-pins", [0, 1, 2, 3, 4], "two-vcpus", "INV-CTX", "test PageAnon"],
  ["private-left-dangling", [0, 1, 2, 3, 4], "one-fault", "INV-CTX", "free context"],
  ["swapcache-private-clobber", [0, 1, 2, 3, 4], "reclaim", "INV-PRIV", "store private"],
  ["swapcache-private-clobber, its end", [0, 1, 2, 3, 4], "reclaim", "INV-PRIV", "end write"],
  ["alloc-fail-lost-completion", [0, 1, 2, 3, 4], "no-context", "INV-LIVE", "allocate context"],
  ["unlocked-metadata-write, mapping", [0, 1, 2, 3, 4], "one-fault", "INV-LOCK", "store mapping"],
  ["unlocked-metadata-write, private", [0, 1, 2, 3, 4], "one-fault", "INV-LOCK", "store private"],
];

it("copy-through-apf-mapping: breaks INV-NULL where L3 lets the callback pass without L2", async () => {
  const found = await findingsIn("migrate", { ...rfc(0), repairs: ["L1", "L3"] });
  expect(found).toContainEqual(expect.objectContaining({ invariant: "INV-NULL", transition: "copy" }));
  const repaired = await findingsIn("migrate", rfc(3));
  expect(repaired).not.toContainEqual(expect.objectContaining({ invariant: "INV-NULL" }));
});

describe.each(catalogue)("%s", (...row) => {
  const [, layers, model, invariant, transition] = row;

  it.each(layers)(`breaks ${invariant} in ${model} with repairs up to L%i`, async (layer) => {
    const found = await findingsIn(model, rfc(layer));
    expect(found).toContainEqual(expect.objectContaining({ invariant, transition }));
  });

  it("is gone with all repairs, and was never in v3.12", async () => {
    const same = expect.objectContaining({ invariant, transition });
    expect(await findingsIn(model, rfc(5))).not.toContainEqual(same);
    expect(await findingsIn(model, pin)).not.toContainEqual(same);
    expect(await findingsIn(model, dropGet)).not.toContainEqual(same);
  });
});

// v3.12's work of async_pf holds mm_count, not mm_users: its GUP may map a page while exit_mmap() runs.
const exits = new Set(["exit", "migrate-exit"]);
const variants: readonly [string, Variant, boolean][] = [
  ["pin on v3.12", pin, true],
  ["drop-get on v3.12", dropGet, true],
  ["rfc with all repairs", rfc(5), true],
  ["drop-get on v6.1", { ...dropGet, kernel: "v6.1" }, false],
  ["drop-get on v6.12", { ...dropGet, kernel: "v6.12" }, false],
];

describe.each(variants)("%s", (_, variant, isOld) => {
  it.each(builtinModels().map(({ name }) => name))("%s is clean", async (model) => {
    const search = await searchAll(await machineOf(model, variant));
    expect(search.stoppedBy).toBeNull();
    const transitions = new Set(search.events.map((event) => nameOfEvent(event).transition));
    expect([...transitions]).toEqual(isOld && exits.has(model) ? ["remove VMA"] : []);
  });
});
