/** A page is migrated in one go where nothing is special about it. Under a trace it never is. */
import { expect, it } from "vitest";
import { twoNodes } from "./hosts.ts";

/** State after the migration of 20 pages while a page that its owner has dropped waits in the LRU batch. */
async function hashAfterDrain(node: number, traced: boolean): Promise<string> {
  const host = await twoNodes({ contentBytes: 8 });
  const region = host.createProcess({ pages: 20 }).map({ pages: 20, node: 0 });
  region.touch("write");
  host.drainLru();
  const dropped = host.createProcess({ pages: 1 }).map({ pages: 1, node });
  dropped.touch("write");
  const frame = dropped.pfnOf(0);
  dropped.unmap();
  expect(host.pages.refcount(frame)).toBe(1);
  if (traced) host.startTrace();
  region.migrate({ node: 1, mode: "async" });
  expect(host.verify()).toBeNull();
  return host.stateHash();
}

it.each([0, 1])("a batch that frees a page of node %i amid a run leaves the same lists", async (node) => {
  expect(await hashAfterDrain(node, false)).toBe(await hashAfterDrain(node, true));
});
