/** System calls that migrate pages, on a host and on the reference model. */
import { migrationModes } from "../../src/core/names.ts";
import type { Machine } from "../reference/machine.ts";
import { run } from "../reference/state.ts";
import * as syscalls from "../reference/syscalls.ts";
import { blamed, calledCore, migrated, returned } from "./answers.ts";
import type { Operation } from "./operations.ts";
import { type Pages, type ProcessPair, type RegionPair, vpnsOf } from "./regions.ts";
import { type Answers, nothing } from "./vcpu.ts";

type Of<K extends Operation["op"]> = Extract<Operation, { readonly op: K }>;

export function movePages(
  m: Machine,
  region: RegionPair,
  options: Pick<Of<"movePages">, "entries" | "moveAll">,
): Answers {
  const { moveAll } = options;
  const entries = options.entries.map(({ index, node }) => ({
    index: index < 0 ? -1 : index % region.core.pages,
    node,
  }));
  const core = region.core.movePages({
    entries: entries.map(({ index }) => index),
    node: entries.map(({ node }) => node),
    moveAll,
  });
  const vpns = entries.map(({ index, node }) => ({
    vpn: index < 0 ? null : region.core.start + index,
    node,
  }));
  const process = region.process.reference;
  const reference = run(m, () => syscalls.movePages(m, process, vpns, moveAll));
  return {
    core: core.crash === null ? [calledCore(core), core.status, core.blame.pages] : null,
    reference: reference && [returned(reference.rc), reference.status, blamed(m)],
  };
}

export function mbind(m: Machine, region: RegionPair, options: syscalls.MbindOptions): Answers {
  const core = region.core.mbind(options);
  const vpns = vpnsOf(region, { start: 0, count: region.core.pages });
  return migrated(
    core,
    run(m, () => syscalls.mbind(m, region.process.reference, vpns, options)),
    m,
  );
}

export function migratePages(m: Machine, process: ProcessPair, { nodes }: Of<"migratePages">): Answers {
  const from = nodes.filter((_, i) => i % 2 === 0);
  const to = nodes.filter((_, i) => i % 2 === 1);
  const core = process.core.migratePages(from, to);
  return migrated(
    core,
    run(m, () => syscalls.migrateProcess(m, process.reference, from, to)),
    m,
  );
}

export function migrateRange(
  m: Machine,
  region: RegionPair,
  pages: Pages,
  { node, mode }: Of<"migrateRange">,
): Answers {
  if (!syscalls.nodeHasMemory(m, node)) return nothing;
  const core = region.core.migrate({ node, mode, ...pages });
  const target = { node, mode: migrationModes[mode] };
  const process = region.process.reference;
  return migrated(
    core,
    run(m, () => syscalls.migrateRange(m, process, vpnsOf(region, pages), target)),
    m,
  );
}
