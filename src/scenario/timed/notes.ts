/** What the comment at the head of a built-in scenario says of it. */
import { scenarioTexts } from "../../generated/scenarios/texts.ts";

export interface ScenarioNotes {
  readonly title: string;
  /** What happens in it. */
  readonly what: string;
  /** Who measured or asked it. */
  readonly source: string;
  /** What its results are to be compared with. */
  readonly compare: string;
}

const SOURCE = "Source: ";
const COMPARE = "Compare: ";

/** Paragraphs of the comment before the first key, and the title; a missing one is empty. */
function notesOf(yaml: string): ScenarioNotes {
  const [comment = ""] = /^(#.*\n)*/.exec(yaml) ?? [];
  const paragraphs = comment
    .replaceAll(/^# ?/gm, "")
    .split(/\n\n+/)
    .map((paragraph) => paragraph.trim().replaceAll("\n", " "));
  const after = (mark: string): string =>
    paragraphs.find((paragraph) => paragraph.startsWith(mark))?.slice(mark.length) ?? "";
  const [, title = ""] = /^title: (.*)$/m.exec(yaml) ?? [];
  return { title, what: paragraphs[0] ?? "", source: after(SOURCE), compare: after(COMPARE) };
}

/** By name of the scenario. */
export const builtinNotes: Readonly<Record<string, ScenarioNotes>> = Object.fromEntries(
  Object.entries(scenarioTexts).map(([name, yaml]) => [name, notesOf(yaml)]),
);
