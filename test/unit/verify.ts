/** A sound host, and what damages it behind its back, for the tests of verify(). */
import { expect } from "vitest";
import * as abi from "../../assembly/abi.ts";
import type { Core } from "../../src/core/core.ts";
import { Host } from "../../src/host.ts";
import { restoreSnapshot, takeSnapshot } from "../../src/host/snapshot.ts";
import { pinByAsyncPf, rfcHost } from "./hosts.ts";

export const PAGE = 3;

/** The host as it would be with some bytes of its arena changed. */
export async function corrupted(host: Host, change: (core: Core) => void): Promise<Host> {
  const { core, words } = await restoreSnapshot(host.snapshot());
  change(core);
  return Host.restore(takeSnapshot(core, words));
}

/** The word at a byte offset of a table. */
export function word(core: Core, table: number, offset: number): number {
  return core.words(table)[offset >> 2] ?? 0;
}

export function setWord(core: Core, table: number, offset: number, value: number): void {
  core.words(table)[offset >> 2] = value;
}

/** Adds to the word at a byte offset of a table. */
export function add(core: Core, table: number, offset: number, delta: number): void {
  setWord(core, table, offset, word(core, table, offset) + delta);
}

/** Byte offset of a field of a page's record. */
export function pageField(pfn: number, field: number): number {
  return pfn * abi.PAGE_RECORD_SIZE + field;
}

export function addToPage(core: Core, pfn: number, field: number, delta: number): void {
  add(core, abi.TABLE_PAGES, pageField(pfn, field), delta);
}

/** A guest of 64 touched pages; its page 3 is held by one asynchronous page fault. */
export async function sound() {
  const at = await rfcHost("pin");
  pinByAsyncPf(at.vcpu0, PAGE);
  expect(at.host.verify()).toBeNull();
  const holders = [
    { kind: "pte", refs: 1 },
    { kind: "async_pf", refs: 1, vcpu: 0, token: 0 },
  ];
  return { ...at, pfn: at.memory.pfnOf(PAGE), holders };
}
