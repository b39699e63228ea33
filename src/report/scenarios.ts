/** The list of scenarios. */
import { PAGE_SIZE } from "../core/abi.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { renderCsv, renderJson } from "./csv.ts";
import type { Layout } from "./explain.ts";
import { formatCount, formatDuration } from "./format.ts";
import { renderTable } from "./table.ts";

const MAX_WIDTH = 120;
const NAME = { head: "scenario", width: 18 };
const KERNEL = { head: "kernel", width: 6 };
const VCPUS = { head: "vCPUs", width: 5, align: "right" } as const;
const MEMORY = { head: "guests", width: 9, align: "right" } as const;
const SWAP = { head: "swap", width: 10 };
const TIME = { head: "time", width: 7, align: "right" } as const;
const MIB_PAGES = 2 ** 20 / PAGE_SIZE;

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function rowOf({ name, title, kernel, guests, host, durationNs, policies, seeds }: Scenario) {
  return {
    name,
    title,
    kernel,
    vcpus: sum(guests.map(({ vcpus }) => vcpus)),
    guestPages: sum(guests.map(({ pages }) => pages)),
    swap: host.swap.map(({ kind }) => kind),
    durationNs,
    policies,
    seeds,
  };
}

export function renderScenariosTable(scenarios: readonly Scenario[], { paint, columns }: Layout): string {
  const fixed = [NAME, KERNEL, VCPUS, MEMORY, SWAP, TIME];
  const taken = sum(fixed.map(({ width }) => width + 2));
  const question = { head: "question", width: Math.max(Math.min(columns, MAX_WIDTH) - taken, 20) };
  const rows = scenarios.map((scenario) => {
    const { name, title, kernel, vcpus, guestPages, swap, durationNs } = rowOf(scenario);
    const memory = `${formatCount(Math.round(guestPages / MIB_PAGES))} MiB`;
    const time = formatDuration(durationNs);
    return [name, kernel, String(vcpus), memory, swap.join(", ") || "–", time, title];
  });
  return `${renderTable([...fixed, question], rows, paint)}\nMore: pinshift explain NAME\n`;
}

export function renderScenariosJson(scenarios: readonly Scenario[], version: string): string {
  return renderJson({ command: "scenarios", version, scenarios: scenarios.map(rowOf) });
}

export function renderScenariosCsv(scenarios: readonly Scenario[]): string {
  const head = ["name", "title", "kernel", "vcpus", "guestPages", "swap", "durationNs", "policies", "seeds"];
  const rows = scenarios
    .map(rowOf)
    .map((row) => [
      row.name,
      row.title,
      row.kernel,
      row.vcpus,
      row.guestPages,
      row.swap.join(" "),
      row.durationNs,
      row.policies.join(" "),
      row.seeds.join(" "),
    ]);
  return renderCsv(head, rows);
}
