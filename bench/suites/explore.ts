/** How fast does the explorer search, in how much memory, and what do sleep sets save? */
import { builtinModels } from "../../src/scenario/model/builtin.ts";
import { type Figures, type Question, SEARCH, type Size, type Suite, TRANSITION } from "../question.ts";
import { againstSpin } from "./explore-spin.ts";
import {
  type Policy,
  type Searcher,
  inTransitions,
  keptBy,
  policies,
  searcher,
  searcherOfAll,
} from "./searches.ts";

const NS_PER_S = 1e9;
const MANY_BYTES = 32;
const LONG_S = 60;
const SMOKE_MODELS = 8;

const onePage: readonly (readonly [model: string, policy: Policy])[] = [
  ["two-vcpus", "rfc"],
  ["two-vcpus-migrate", "pin"],
  ["two-vcpus-migrate", "drop-get"],
  ["two-vcpus-migrate", "rfc+L1..L5"],
  ["two-vcpus-migrate", "rfc+L1..L4"],
];

const nameOf = (model: string, policy: Policy): string => `${model}, ${policy}`;

/** Of the search with the most states: doublings of the table weigh least there. */
function bytesPerState(searchers: readonly Searcher[]): number {
  const results = searchers.map(({ result }) => result());
  const largest = results.toSorted((a, b) => b.states - a.states)[0];
  return largest === undefined ? Number.NaN : largest.visitedBytes / largest.states;
}

function speed(size: Size): Question {
  let searchers: readonly Searcher[] = [];
  const slowest = (figures: Figures): number =>
    Math.min(...searchers.map(({ name }) => NS_PER_S / figures.nsPerUnit(name)));
  return {
    title: "search two vCPUs and one page, all invariants checked in each state, v3.12",
    unit: TRANSITION,
    units: 1,
    warmups: 2,
    rounds: 7,
    contestants: async () => {
      const made = onePage.map(([model, policy]) => searcher(nameOf(model, policy), model, policy, { size }));
      searchers = (await Promise.all(made)).map(inTransitions);
      return [...searchers];
    },
    goals: [
      { text: "at least 1 million transitions/s, the slowest of them", value: slowest, atLeast: 1e6 },
      {
        text: `at most ${MANY_BYTES} bytes a visited state`,
        value: () => bytesPerState(searchers),
        atMost: MANY_BYTES,
      },
    ],
    notes: (figures) => searchers.map((one) => keptBy(one, figures)),
  };
}

const REDUCED = "with sleep sets";
const UNREDUCED = "without";

function reduction(model: string, policy: Policy, size: Size): Question {
  let searchers: readonly Searcher[] = [];
  return {
    title: `search ${model} with and without sleep sets, ${policy}, v3.12`,
    unit: SEARCH,
    units: 1,
    warmups: 2,
    rounds: 5,
    contestants: async () => {
      searchers = [
        await searcher(REDUCED, model, policy, { size }),
        await searcher(UNREDUCED, model, policy, { size, unreduced: true }),
      ];
      return [...searchers];
    },
    notes: (figures) => [
      ...searchers.map(({ name, result }) => {
        const { states, transitions } = result();
        return `${name}: ${transitions} transitions, ${states} states`;
      }),
      `time ${REDUCED} of that ${UNREDUCED}: ${figures.ratio(REDUCED, UNREDUCED).toFixed(3)}`,
    ],
  };
}

function allModels(size: Size): Question {
  const models = builtinModels().slice(0, size === "smoke" ? SMOKE_MODELS : undefined);
  const names = Object.keys(policies).filter((name): name is Policy => Object.hasOwn(policies, name));
  const slowestS = (figures: Figures): number =>
    Math.max(...names.map((name) => figures.nsPerUnit(name))) / NS_PER_S;
  return {
    title: `search ${models.length} built-in models under one policy, v3.12`,
    unit: SEARCH,
    units: 1,
    warmups: size === "smoke" ? 2 : 1,
    rounds: 3,
    contestants: () => names.map((policy) => searcherOfAll(policy, models, size)),
    goals: [{ text: `at most ${LONG_S} s, the slowest policy`, value: slowestS, atMost: LONG_S }],
  };
}

export const explore: Suite = {
  name: "explore",
  questions: (size) => [
    speed(size),
    reduction("two-vcpus", "rfc", size),
    reduction("two-vcpus-migrate", "rfc+L1..L4", size),
    ...againstSpin(size),
    allModels(size),
  ],
};
