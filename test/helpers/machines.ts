/** Machines on which operations meet: few frames in play, and times that make limits come near. */
import * as fc from "fast-check";
import type { HostConfig } from "../../src/index.ts";
import type { Config } from "../reference/machine.ts";

const limits = {
  ptes: 4096,
  processes: 16,
  vmas: 512,
  mappings: 512,
  cacheSlots: 4096,
  ksmItems: 512,
  pins: 512,
  vcpus: 8,
  entries: 1024,
  events: 64,
  swapSlots: 40,
};

const costs = {
  syscallNs: 5_000,
  movedPageNs: 1_100,
  failedAttemptNs: 1_700,
  offlineRoundNs: 2_000_000_000,
  faultNs: 500,
};

/** What the API and the reference model both take. */
export type Both = Config & HostConfig;
export type Variant = Pick<Config, "kernel" | "policy" | "repairs"> & Pick<HostConfig, "kernel" | "repairs">;

function nodes(pages: number, ofNode1: number): Both["nodes"] {
  return [
    {
      zones: [
        { kind: "normal", pages },
        { kind: "movable", pages },
      ],
    },
    { zones: [{ kind: "normal", pages: ofNode1 }] },
  ];
}

/** Frames of node 0 and of node 1, where there are no memory blocks. */
export const smallFrames = [1024, 512] as const;

/**
 * small: no memory blocks. tiny: the same with short tables. blocks: block 1 is ZONE_MOVABLE, node 1 is
 * small.
 */
export function machine(variant: Variant, size: "small" | "tiny" | "blocks", debugRodata = true): Both {
  const common = { ...variant, cpus: 2, contentBytes: 8, debugRodata, limits };
  if (size === "tiny") {
    const short = { ...limits, ptes: 1024, entries: 256 };
    return { ...common, limits: short, nodes: nodes(512, 512), costs };
  }
  if (size === "small") return { ...common, nodes: nodes(512, 512), costs };
  // A round with one pinned page takes 7 s, so that the 120 s of v3.12 come within 20 rounds.
  return { ...common, nodes: nodes(32_768, 1024), costs: { ...costs, failedAttemptNs: 500_000_000 } };
}

const kernels = ["v3.12", "v6.1", "v6.12"] as const;
const repairs = ["L1", "L2", "L3", "L4", "L5"] as const;

const unpatched = fc.record({
  kernel: fc.constantFrom(...kernels),
  policy: fc.constantFrom("pin", "drop-get", "longterm"),
});

/** Any kernel and policy, the RFC mostly on its own kernel and with any subset of repairs. */
export const anyVariant: fc.Arbitrary<Variant> = fc.oneof(
  unpatched,
  fc.record({
    kernel: fc.constantFrom("v3.12", "v3.12", "v3.12", "v6.1", "v6.12"),
    policy: fc.constant("rfc" as const),
    repairs: fc.oneof(
      fc.constantFrom(...[0, 1, 2, 3, 4, 5, 5].map((layer) => repairs.slice(0, layer))),
      fc.subarray([...repairs]),
    ),
  }),
);

/** Those that break nothing. */
export const soundVariant: fc.Arbitrary<Variant> = fc.oneof(
  unpatched,
  fc.constant<Variant>({ kernel: "v3.12", policy: "rfc", repairs }),
);
