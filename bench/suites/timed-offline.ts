/** Six policies on the same scenario, shared out among two processes. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Contestant, type Question, SCENARIO, type Size } from "../question.ts";
import type { OfflineRun, OfflineSize } from "../timed/offline.ts";

const program = fileURLToPath(new URL("../timed/offline-main.ts", import.meta.url));
const execute = promisify(execFile);

/** Those that run to the end of the time are dealt out evenly. */
const shares: readonly (readonly string[])[] = [
  ["pin", "rfc", "drop-get"],
  ["rfc+L1+L2+L3+L4+L5", "rfc+L1", "longterm"],
];
const PROCESSES = "two processes, six policies";
const NS_PER_S = 1e9;

function isRun(value: unknown): value is OfflineRun {
  return typeof value === "object" && value !== null && "stateHash" in value && "outcome" in value;
}

async function runShare(
  policies: readonly string[],
  { seconds, blocks }: OfflineSize,
): Promise<OfflineRun[]> {
  const args = ["--import", "tsx", program, String(seconds), String(blocks), ...policies];
  const { stdout } = await execute(process.execPath, args);
  const runs: unknown = JSON.parse(stdout);
  if (!Array.isArray(runs) || !runs.every(isRun)) throw new Error(`bench: ${program} printed ${stdout}`);
  return runs;
}

function note({ policy, events, faults, endNs, outcome }: OfflineRun): string {
  const rate = Math.round((faults * NS_PER_S) / endNs);
  return `${policy}: ${outcome}; ${events} events, ${rate} faults/s up to ${(endNs / NS_PER_S).toFixed(3)} s`;
}

/** 128 MiB go offline while 64 vCPUs fault. */
export function sixPolicies(size: Size): Question {
  const scenario: OfflineSize = size === "smoke" ? { seconds: 0.01, blocks: 1 } : { seconds: 10, blocks: 8 };
  let runs: OfflineRun[] = [];
  const contestant: Contestant = {
    name: PROCESSES,
    async run() {
      runs = (await Promise.all(shares.map((policies) => runShare(policies, scenario)))).flat();
    },
    hash: () => runs.map(({ policy, stateHash }) => `${policy} ${stateHash}`).join(", "),
    check() {
      if (runs.length !== shares.flat().length) throw new Error("bench: not every policy has run");
      if (runs.some(({ outcome }) => outcome === "violation")) throw new Error("bench: a violation");
    },
  };
  return {
    title: `offline a block of 128 MiB, 64 vCPUs on NVMe: ${scenario.seconds} simulated s under six policies`,
    unit: SCENARIO,
    units: 1,
    warmups: 1,
    rounds: 3,
    contestants: () => [contestant],
    goals: [
      {
        text: "all six at most 10 s",
        value: (figures) => figures.nsPerUnit(PROCESSES) / NS_PER_S,
        atMost: 10,
      },
    ],
    notes: () => runs.map(note),
  };
}
