/** Explanations, for people and as JSON. */
import type { NamedTopic } from "../explain.ts";
import { renderJson } from "./csv.ts";
import { type Paint, renderTable, wrap } from "./table.ts";

export interface Layout {
  readonly paint: Paint;
  readonly columns: number;
}

/** Longer lines are hard to read, however wide the terminal is. */
const MAX_WIDTH = 100;

/** Summaries have no full stop, but questions are summaries, too. */
function sentence(summary: string): string {
  return summary.endsWith("?") ? summary : `${summary}.`;
}

export function renderTopic(topic: NamedTopic, { paint, columns }: Layout): string {
  const width = Math.min(columns, MAX_WIDTH);
  const part = (head: string, text: string): string => `${paint("bold", head)}\n${wrap(text, width, "  ")}\n`;
  return [
    `${wrap(`${topic.name} (${topic.kind}): ${sentence(topic.summary)}`, width)}\n`,
    part("What it is", topic.what),
    part("Where it comes from", topic.source),
    part("How it shows in Pinshift", topic.shows),
  ].join("\n");
}

export function renderTopicList(topics: readonly NamedTopic[], { paint, columns }: Layout): string {
  const names = { head: "name", width: 18 };
  const kinds = { head: "is a", width: 14 };
  const rest = Math.min(columns, MAX_WIDTH) - names.width - kinds.width - 4;
  return renderTable(
    [names, kinds, { head: "which says", width: Math.max(rest, 20) }],
    topics.map(({ name, kind, summary }) => [name, kind, summary]),
    paint,
  );
}

export function renderTopicJson(value: object): string {
  return renderJson(value);
}
