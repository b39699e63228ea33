/** The built-in scenarios: what stands at the head of their files. */
import { builtinNotes } from "../scenario/timed/notes.ts";
import type { Topic } from "./topic.ts";

export const scenarioTopics: Readonly<Record<string, Topic>> = Object.fromEntries(
  Object.entries(builtinNotes).map(([name, { title, what, source, compare }]): [string, Topic] => [
    name,
    { summary: title, what, source, shows: `Compare ${compare}` },
  ]),
);
