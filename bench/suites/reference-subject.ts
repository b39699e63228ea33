/** The object-based reference model of the tests as a subject. */
import { SECTION_COUNTERS, SECTION_PAGES, SECTION_PTES } from "../../assembly/abi.ts";
import { boot } from "../../test/reference/boot.ts";
import { touch } from "../../test/reference/fault.ts";
import { drainAll } from "../../test/reference/lru.ts";
import { createProcess, map, munmap } from "../../test/reference/process.ts";
import { stateSections } from "../../test/reference/state.ts";
import { movePages } from "../../test/reference/syscalls.ts";
import { type Subject, type TwoNodes, framesPerNode } from "./two-nodes.ts";

export const REFERENCE = "reference model";

/** None of them is in a section that is compared. */
const costs = { syscallNs: 0, movedPageNs: 0, failedAttemptNs: 0, offlineRoundNs: 1, faultNs: 0 };

export function referenceSubject({ pages, kernel = "v3.12" }: TwoNodes): Subject {
  const node = { zones: [{ kind: "movable" as const, pages: framesPerNode(pages) }] };
  const machine = boot({ kernel, policy: "pin", nodes: [node, node], costs });
  const process = createProcess(machine, pages);
  const vpns = Array.from({ length: pages }, (_, vpn) => vpn);
  const all = { start: 0, end: pages };
  return {
    name: REFERENCE,
    map: () => map(machine, process, all, { kind: "anon", node: 0 }),
    unmap() {
      munmap(machine, process, all);
      drainAll(machine);
    },
    touch(start, count) {
      touch(machine, process, { start, end: start + count }, { write: true });
    },
    movePages(target) {
      const entries = vpns.map((vpn) => ({ vpn, node: target }));
      const { rc } = movePages(machine, process, entries);
      if (rc !== 0) throw new Error(`bench: the reference's move_pages returned ${rc}`);
    },
    hash() {
      const sections = stateSections(machine);
      return [SECTION_PAGES, SECTION_PTES, SECTION_COUNTERS]
        .map((section) => sections.get(section))
        .join(" ");
    },
  };
}
