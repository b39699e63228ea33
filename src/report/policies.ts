/** The list of pin policies and of the repairs of the RFC. */
import { namesIn } from "../core/names.ts";
import { policyOrigins, policyTopics, repairTopics } from "../explain/policies.ts";
import { renderCsv, renderJson } from "./csv.ts";
import type { Layout } from "./explain.ts";
import { renderTable } from "./table.ts";

const MAX_WIDTH = 120;
const NAME = { head: "policy", width: 8 };
const ORIGIN = { head: "where it was", width: 38 };

const policyRows = namesIn(policyTopics).map((name) => ({
  name,
  summary: policyTopics[name].summary,
  origin: policyOrigins[name],
}));
const repairRows = namesIn(repairTopics).map((name) => ({ name, summary: repairTopics[name].summary }));

export function renderPoliciesTable({ paint, columns }: Layout): string {
  const rest = Math.max(Math.min(columns, MAX_WIDTH) - NAME.width - ORIGIN.width - 4, 20);
  const policies = renderTable(
    [NAME, { head: "what async_pf does with its page", width: rest }, ORIGIN],
    policyRows.map(({ name, summary, origin }) => [name, summary, origin]),
    paint,
  );
  const repairs = renderTable(
    [
      { head: "repair", width: NAME.width },
      { head: "what it changes in rfc (--policy rfc+L1+L2, or --repair L1,L2)", width: rest },
    ],
    repairRows.map(({ name, summary }) => [name, summary]),
    paint,
  );
  return `${policies}\n${repairs}\nMore: pinshift explain NAME\n`;
}

export function renderPoliciesJson(version: string): string {
  return renderJson({ command: "policies", version, policies: policyRows, repairs: repairRows });
}

export function renderPoliciesCsv(): string {
  const rows = [
    ...policyRows.map(({ name, summary, origin }) => ["policy", name, summary, origin]),
    ...repairRows.map(({ name, summary }) => ["repair", name, summary, null]),
  ];
  return renderCsv(["kind", "name", "summary", "origin"], rows);
}
