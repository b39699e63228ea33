/** What writes leave in pages. */
import { describe, expect, it } from "vitest";
import { PAGE_SIZE, SECTION_CONTENT } from "../../assembly/abi.ts";
import type { Region } from "../../src/index.ts";
import { twoNodes } from "./hosts.ts";

/** Hash of the content of a host after `write`, and of what is expected of it. */
async function contentAfter(write: (memory: Region) => void, kind: "anon" | "shmem" = "anon") {
  const host = await twoNodes({ contentBytes: PAGE_SIZE });
  const memory = host.createProcess({ pages: 4 }).map({ pages: 4, kind });
  write(memory);
  expect(host.verify()).toBeNull();
  return host.sectionHash(SECTION_CONTENT);
}

describe.each(["anon", "shmem"] as const)("in %s memory", (kind) => {
  it("a number that is given is all that the content depends on", async () => {
    const once = await contentAfter((memory) => memory.touch("write", { content: 5 }), kind);
    const again = await contentAfter((memory) => {
      memory.touch("write");
      memory.touch("write", { content: 6 });
      memory.touch("write", { content: 5, count: 2 });
      memory.touch("write", { content: 5, start: 2 });
    }, kind);
    const other = await contentAfter((memory) => memory.touch("write", { content: 6 }), kind);
    expect(again).toBe(once);
    expect(other).not.toBe(once);
  });

  it("a number that is given leaves what no other write leaves", async () => {
    const given = await contentAfter((memory) => memory.touch("write", { content: 1, count: 1 }), kind);
    const fresh = await contentAfter((memory) => memory.touch("write", { count: 1 }), kind);
    expect(given).not.toBe(fresh);
  });
});

it("0 are zeros, as a page has them that a fault brought in", async () => {
  const zeros = await contentAfter((memory) => memory.touch("write", { content: 0 }));
  const untouched = await contentAfter((memory) => {
    memory.pin([0, 1, 2, 3]).release();
  });
  expect(zeros).toBe(untouched);
});

it("a read leaves none, and a number that is too large is refused", async () => {
  const memory = (await twoNodes()).createProcess({ pages: 1 }).map({ pages: 1 });
  expect(() => memory.touch("read", { content: 1 })).toThrowError(/^content: a read leaves none$/);
  expect(memory.touch("write", { content: 2 ** 31 - 2 }).errno).toBeNull();
  expect(() => memory.touch("write", { content: 2 ** 31 - 1 })).toThrowError(/^content: 2147483647 is not/);
});
