/** The report of `pinshift replay`: the story of a schedule as a table, JSON, Markdown, HTML. */
import type { Break, Story } from "../run/explore/story.ts";
import { renderJson } from "./csv.ts";
import type { Layout } from "./explain.ts";
import { BROKEN_MARK, type MarkedStep, type Told, counted, replayCommand } from "./finding.ts";
import { htmlPage } from "./html.ts";
import { markdownBlocks, markdownCode, markdownText } from "./markdown.ts";
import { variantLabel } from "./variant.ts";
import { renderStepsMarkdown, renderStepsTable } from "./schedule.ts";
import { commandHtml, storyHtml } from "./story-html.ts";
import { wrap } from "./table.ts";

const MAX_WIDTH = 120;

/** "INV-LOCK (invariant): page->private of a mapped page …", "INV-LOCK (oops): mutex_lock ← …". */
function breakText({ invariant, kind, detail }: Break): string {
  const text = detail.startsWith(`${kind}: `) ? detail.slice(kind.length + 2) : detail;
  return `${invariant} (${kind}): ${text}`;
}

function toldOf({ steps }: Story): Told {
  const marked = steps.flatMap(({ actor, breaks }, index) =>
    breaks.map((broken): MarkedStep => ({
      mark: BROKEN_MARK,
      index,
      text: `${actor} breaks ${breakText(broken)}`,
    })),
  );
  return { steps, marked };
}

/** "Linux v3.12 · rfc as posted · model migrate". */
function headingText(story: Story): string {
  return `Linux ${story.kernel} · ${variantLabel(story)} · model ${story.model}`;
}

/** Where the steps lead: a sentence or more. */
function endText({ crash, steps, end }: Story): string {
  const taken = counted(steps.length, "step");
  if (crash !== null) return `After ${taken} the simulated kernel has crashed.`;
  if (end === null) return `After ${taken} it can go on.`;
  const [first] = end;
  if (first === undefined)
    return `After ${taken} nobody has anything left to do, and nothing is left behind.`;
  return `After ${taken} nobody can take another one: ${[...new Set(end.map(breakText))].join("; ")}.`;
}

function hashText({ stateHash }: Story): string {
  return `State hash ${stateHash}.`;
}

export function renderStoryTable(story: Story, { paint, columns: wanted }: Layout): string {
  const columns = Math.min(wanted, MAX_WIDTH);
  const steps = story.steps.length === 0 ? [] : [renderStepsTable(toldOf(story), { paint, columns })];
  return [
    paint("bold", wrap(headingText(story), columns)),
    wrap(story.title, columns),
    `${replayCommand(story)}\n`,
    ...steps,
    `${paint("bold", wrap(endText(story), columns))}\n${hashText(story)}\n`,
  ].join("\n");
}

export function renderStoryJson(story: Story): string {
  return renderJson(story);
}

export function renderStoryMarkdown(story: Story): string {
  return markdownBlocks([
    `# ${markdownText(headingText(story))}`,
    markdownText(story.title),
    `Again: ${markdownCode(replayCommand(story))}`,
    ...(story.steps.length === 0 ? [] : [renderStepsMarkdown(toldOf(story))]),
    `${markdownText(endText(story))} ${hashText(story)}`,
  ]);
}

/** The step that is shown first: the first that breaks something, or the last. */
function firstShown({ steps }: Story): number {
  const broken = steps.findIndex(({ breaks }) => breaks.length > 0);
  return broken < 0 ? steps.length - 1 : broken;
}

export function renderStoryHtml(story: Story): string {
  const article =
    `<article class="finding" data-finding="0">\n${commandHtml(replayCommand(story))}` +
    `${storyHtml(toldOf(story), 1, firstShown(story))}\n</article>\n`;
  return htmlPage({
    command: "replay",
    about: headingText(story),
    title: story.title,
    summary: `${endText(story)} ${hashText(story)}`,
    main: article,
    report: story,
  });
}
