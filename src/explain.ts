/**
 * What every name in a report means: policies, repairs, invariants, errnos, kernel profiles, crash kinds,
 * scenarios.
 */
import { crashTopics, errnoTopics, kernelTopics } from "./explain/codes.ts";
import { invariantTopics } from "./explain/invariants.ts";
import { policyTopics, repairTopics, situationTopic } from "./explain/policies.ts";
import { scenarioTopics } from "./explain/scenarios.ts";
import type { Topic, TopicKind } from "./explain/topic.ts";

export type NamedTopic = Topic & { readonly name: string; readonly kind: TopicKind };

const groups: readonly (readonly [TopicKind, Readonly<Record<string, Topic>>])[] = [
  ["policy", policyTopics],
  ["repair", repairTopics],
  ["set-up", { situation: situationTopic }],
  ["scenario", scenarioTopics],
  ["invariant", invariantTopics],
  ["errno", errnoTopics],
  ["crash kind", crashTopics],
  ["kernel profile", kernelTopics],
];

/** Every topic, by kind. */
export const topics: readonly NamedTopic[] = groups.flatMap(([kind, group]) =>
  Object.entries(group).map(([name, topic]) => ({ name, kind, ...topic })),
);

/** The topic of a name in any case; an errno may have its minus sign. */
export function findTopic(name: string): NamedTopic | undefined {
  const wanted = name.toLowerCase().replace(/^-(?=e)/, "");
  return topics.find((topic) => topic.name.toLowerCase() === wanted);
}

/** Steps from one word to another: letters inserted, dropped or replaced. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const letter of a) {
    const [first = 0] = row;
    const next = [first + 1];
    for (const [i, other] of Array.from(b).entries()) {
      const replaced = (row[i] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[i + 1] ?? 0) + 1, (next[i] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** Topics whose names are close to `name`, the closest first. */
export function similarTopics(name: string): string[] {
  const wanted = name.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  return topics
    .map((topic) => ({ name: topic.name, steps: distance(wanted, topic.name.toLowerCase()) }))
    .filter(({ steps }) => steps <= limit)
    .toSorted((a, b) => a.steps - b.steps)
    .slice(0, 3)
    .map((topic) => topic.name);
}
