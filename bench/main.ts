/**
 * npm run bench -- [--suite NAME]… [--smoke] [--json] [--markdown]
 *
 * --smoke runs everything at a tiny size and compares states only; --markdown writes bench/RESULTS.md, with
 * --suite the sections of these suites only.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { environment } from "./environment.ts";
import { type Answer, measure, smoke } from "./measure.ts";
import type { Suite } from "./question.ts";
import { type SuiteAnswers, jsonOf, markdown, merged, text } from "./report.ts";
import { suites } from "./suites/index.ts";

const USAGE_ERROR = 2;

function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${line}\n`);
}

function chosen(names: readonly string[]): Suite[] {
  const unknown = names.find((name) => !suites.some((suite) => suite.name === name));
  if (unknown !== undefined) {
    process.stderr.write(`bench: no suite ${unknown}: ${suites.map(({ name }) => name).join(", ")}\n`);
    process.exit(USAGE_ERROR);
  }
  return suites.filter(({ name }) => names.length === 0 || names.includes(name));
}

async function runSmoke(selected: readonly Suite[]): Promise<void> {
  for (const suite of selected) {
    for (const question of suite.questions("smoke")) {
      await smoke(question);
      process.stdout.write(`ok ${suite.name}: ${question.title}\n`);
    }
  }
}

async function run(selected: readonly Suite[], onAnswer: (answer: Answer) => void): Promise<SuiteAnswers[]> {
  const all: SuiteAnswers[] = [];
  for (const suite of selected) {
    const answers: Answer[] = [];
    for (const question of suite.questions("full")) {
      progress(`${suite.name}: ${question.title}`);
      const answer = await measure(question);
      answers.push(answer);
      onAnswer(answer);
    }
    all.push({ suite: suite.name, answers });
  }
  return all;
}

const results = new URL("RESULTS.md", import.meta.url);

function writeResults(all: readonly SuiteAnswers[], names: readonly string[]): void {
  const order = suites.map(({ name }) => name);
  const whole = names.length === 0;
  const old = whole ? "" : readFileSync(results, "utf8");
  writeFileSync(results, whole ? markdown(environment(), all) : merged(old, environment(), all, order));
}

const { values: options } = parseArgs({
  options: {
    suite: { type: "string", multiple: true, default: [] },
    smoke: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
  },
});

const selected = chosen(options.suite);
if (options.smoke) {
  await runSmoke(selected);
} else {
  const all = await run(selected, (answer) => {
    if (!options.json) process.stdout.write(text(answer));
  });
  if (options.json) {
    const told = all.map(({ suite, answers }) => ({ suite, answers: answers.map(jsonOf) }));
    process.stdout.write(
      `${JSON.stringify({ command: "bench", ...environment(), suites: told }, null, 2)}\n`,
    );
  }
  if (options.markdown) writeResults(all, options.suite);
}
