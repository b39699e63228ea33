/** pinshift explore: every interleaving of a few actors, or as many as the bounds let. */
import * as fs from "node:fs";
import * as path from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { EXPLORE_MAX_STATES } from "../core/abi.ts";
import type { ExploreOptions } from "../run/explore/explore.ts";
import type { Variant } from "../run/explore/machine.ts";
import type { ExploreReport } from "../run/explore/result.ts";
import { type Bounds, MAX_PCT_DEPTH, type SearchProgress, type Strategy } from "../run/explore/search.ts";
import { formatCount } from "../report/format.ts";
import { Interrupt } from "./interrupt.ts";
import { type ChosenModel, chosenModels } from "./models.ts";
import { integerBetween, parseDuration } from "./numbers.ts";
import {
  type DocumentFormat,
  type Format,
  type OutputOptions,
  Progress,
  columnsFor,
  emit,
  formatOption,
  outOption,
  paintFor,
  reason,
} from "./output.ts";
import { packageVersion } from "./package.ts";
import { UsageError } from "./usage-error.ts";
import { withRepairs } from "./variant.ts";

const MAX_STEPS = 65_535;
const MAX_WALKS = 2 ** 31 - 1;
const DEFAULT_WALKS = 10_000;
const EXIT_UNMET = 1;

type StrategyName =
  | { readonly kind: "bfs" | "dfs" | "random" }
  | { readonly kind: "pct"; readonly depth: number };

interface ExploreCommandOptions extends OutputOptions<Format | DocumentFormat> {
  readonly kernel: string;
  readonly policy: string;
  readonly repair?: string;
  readonly repairs?: "all";
  readonly strategy: StrategyName;
  readonly walks?: number;
  readonly seed?: number;
  readonly maxStates?: number;
  readonly maxDepth?: number;
  readonly maxSwitches?: number;
  readonly timeout?: number;
  readonly unreduced?: boolean;
  readonly expect?: string;
  readonly schedules?: string;
}

function parseStrategy(text: string): StrategyName {
  if (text === "bfs" || text === "dfs" || text === "random") return { kind: text };
  const depth = Number(/^pct:(\d+)$/.exec(text)?.[1]);
  if (depth >= 1 && depth <= MAX_PCT_DEPTH) return { kind: "pct", depth };
  throw new InvalidArgumentError(`Allowed are bfs, dfs, random and pct:D with D from 1 to ${MAX_PCT_DEPTH}.`);
}

/** @throws {UsageError} for walks of a strategy that makes none */
function strategyOf({ strategy, walks, seed }: ExploreCommandOptions): Strategy {
  if (strategy.kind === "random" || strategy.kind === "pct") {
    return { ...strategy, walks: walks ?? DEFAULT_WALKS, seed: seed ?? 1 };
  }
  const needless = walks === undefined ? seed !== undefined && "--seed" : "--walks";
  if (needless !== false) {
    throw new UsageError(
      `${needless}: is for --strategy random or pct:D, and ${strategy.kind} makes no walks`,
    );
  }
  return { kind: strategy.kind };
}

function boundsOf({ maxStates, maxDepth, maxSwitches }: ExploreCommandOptions): Partial<Bounds> {
  return {
    ...(maxStates === undefined ? {} : { maxStates }),
    ...(maxDepth === undefined ? {} : { maxDepth }),
    ...(maxSwitches === undefined ? {} : { maxSwitches }),
  };
}

async function variantOf(options: ExploreCommandOptions): Promise<Variant> {
  const { parseKernel, parseVariant } = await import("../scenario/variant.ts");
  const kernel = parseKernel("--kernel", options.kernel);
  const [variant] = await withRepairs([parseVariant("--policy", options.policy)], options);
  return { kernel, policy: "rfc", repairs: [], ...variant };
}

function refuse(message: string): never {
  throw new UsageError(message);
}

/** @throws {UsageError} for options that are not for all subsets of the repairs */
function checkRepairsAll(variant: Variant, options: ExploreCommandOptions): void {
  if (variant.policy !== "rfc") refuse(`--repairs: only rfc has any, and --policy is ${options.policy}`);
  if (variant.repairs.length > 0) refuse("--repairs: all subsets are explored: name no repair");
  if (options.expect !== undefined) refuse("--expect: is for one set of repairs, not for --repairs all");
  if (options.schedules !== undefined)
    refuse("--schedules: is for one set of repairs, not for --repairs all");
  if (options.format === "html") refuse("--format: --repairs all is not to be had as html");
}

/** "migrate: 12,345 states, depth 20, frontier 567, 89,012 states/s". */
function progressText(): (model: string, progress: SearchProgress) => string {
  let begun = { model: "", ms: 0 };
  return (model, { states, depth, frontier }) => {
    if (begun.model !== model) begun = { model, ms: performance.now() - 100 };
    const perSecond = Math.round((states / (performance.now() - begun.ms)) * 1000);
    return (
      `${model}: ${formatCount(states)} states, depth ${formatCount(depth)}, ` +
      `frontier ${formatCount(frontier)}, ${formatCount(perSecond)} states/s`
    );
  };
}

function writeSchedule(file: string, content: unknown): void {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  } catch (cause) {
    throw new UsageError(`--schedules: ${file} cannot be written: ${reason(cause)}`);
  }
}

/** A file for each finding, which `pinshift replay` plays. */
async function writeSchedules(
  dir: string,
  report: ExploreReport,
  chosen: readonly ChosenModel[],
): Promise<void> {
  const { scheduleFile, scheduleFileName } = await import("../run/explore/schedule-file.ts");
  const { parseSchedule } = await import("../run/explore/schedule.ts");
  for (const [index, finding] of report.findings.entries()) {
    const name = parseSchedule(finding.schedule).model;
    const text = chosen.find(({ model }) => model.name === name)?.text ?? "";
    const file = path.join(dir, scheduleFileName(finding, index + 1));
    writeSchedule(file, scheduleFile(finding, text, packageVersion()));
  }
}

async function renderReport(report: ExploreReport, options: ExploreCommandOptions): Promise<string> {
  const reports = await import("../report/explore.ts");
  const { renderExploreHtml } = await import("../report/explore-html.ts");
  const layout = { paint: paintFor(options), columns: columnsFor(options) };
  const render = {
    table: () => reports.renderExploreTable(report, layout),
    json: () => reports.renderExploreJson(report),
    csv: () => reports.renderExploreCsv(report),
    markdown: () => reports.renderExploreMarkdown(report),
    html: () => renderExploreHtml(report),
  };
  return render[options.format]();
}

async function exploreOne(
  search: ExploreOptions,
  chosen: readonly ChosenModel[],
  options: ExploreCommandOptions,
): Promise<void> {
  const { explore } = await import("../run/explore/explore.ts");
  const { parseExpectation, unmetText } = await import("../run/explore/expectation.ts");
  const expectation = options.expect === undefined ? null : parseExpectation("--expect", options.expect);
  const progress = new Progress();
  const text = progressText();
  const onProgress = (model: string, now: SearchProgress): void => progress.show(text(model, now));
  const running = explore({ ...search, onProgress }, packageVersion());
  const report = await running.finally(() => progress.end());
  if (options.schedules !== undefined) await writeSchedules(options.schedules, report, chosen);
  emit(await renderReport(report, options), options);
  const unmet = expectation === null ? null : unmetText(report, expectation);
  if (unmet === null) return;
  process.stderr.write(`pinshift: --expect: ${unmet}\n`);
  process.exitCode = EXIT_UNMET;
}

async function exploreAll(
  { variant, ...search }: ExploreOptions,
  options: ExploreCommandOptions,
): Promise<void> {
  checkRepairsAll(variant, options);
  const { exploreRepairs, repairSubsets } = await import("../run/explore/lattice.ts");
  const reports = await import("../report/lattice.ts");
  const nr = repairSubsets().length;
  const progress = new Progress();
  const onProgress = (subset: number, model: string, states: number): void =>
    progress.show(`subset ${subset + 1} of ${nr}: ${model}: ${formatCount(states)} states`);
  const running = exploreRepairs({ ...search, kernel: variant.kernel, onProgress }, packageVersion());
  const report = await running.finally(() => progress.end());
  const layout = { paint: paintFor(options), columns: columnsFor(options) };
  const render = {
    table: () => reports.renderLatticeTable(report, layout),
    json: () => reports.renderLatticeJson(report),
    csv: () => reports.renderLatticeCsv(report),
    markdown: () => reports.renderLatticeMarkdown(report),
    html: () => "",
  };
  emit(render[options.format](), options);
}

async function exploreCommand(args: string[], options: ExploreCommandOptions): Promise<void> {
  const strategy = strategyOf(options);
  const variant = await variantOf(options);
  const chosen = await chosenModels(args);
  const interrupt = new Interrupt();
  const search: ExploreOptions = {
    variant,
    models: chosen.map(({ model }) => model),
    strategy,
    bounds: boundsOf(options),
    signal: interrupt.signal,
    ...(options.unreduced === undefined ? {} : { unreduced: options.unreduced }),
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
  };
  const running =
    options.repairs === "all" ? exploreAll(search, options) : exploreOne(search, chosen, options);
  await running.finally(() => interrupt.end());
  if (interrupt.signal.aborted) process.exitCode = Interrupt.EXIT_CODE;
}

function numberOption(flags: string, description: string, min: number, max?: number): Option {
  return new Option(flags, description).argParser(integerBetween(min, max));
}

export function addExploreCommand(program: Command): void {
  program
    .command("explore")
    .description(
      "Which interleaving breaks which invariant? Takes every order of the steps of a few actors. " +
        "Ctrl-C or the end of the time print what was found so far.",
    )
    .argument("[models...]", "files with models, or names of built-in ones (default: all of these)")
    .option("--kernel <profile>", "kernel profile: v3.12, v6.1 or v6.12", "v3.12")
    .option("--policy <policy>", "pin, drop-get, longterm, rfc (as posted) or rfc+L1+L2", "rfc")
    .option("--repair <list>", "repairs of the policy rfc, as L1,L2")
    .addOption(new Option("--repairs <all>", "every subset of the repairs of rfc").choices(["all"]))
    .addOption(
      new Option("--strategy <strategy>", "bfs (shortest schedules), dfs, random or pct:D (walks)")
        .argParser(parseStrategy)
        .default({ kind: "bfs" }, "bfs"),
    )
    .addOption(
      numberOption("--walks <number>", `of random and pct:D (default: ${DEFAULT_WALKS})`, 1, MAX_WALKS),
    )
    .addOption(numberOption("--seed <number>", "of random and pct:D (default: 1)", 0))
    .addOption(numberOption("--max-states <number>", "states of a model", 1, EXPLORE_MAX_STATES))
    .addOption(numberOption("--max-depth <number>", "steps of a schedule", 1, MAX_STEPS))
    .addOption(numberOption("--max-switches <number>", "context switches; 0: any number", 0, MAX_STEPS))
    .addOption(new Option("--timeout <duration>", "for all models, as 30s or 2m").argParser(parseDuration))
    .option("--unreduced", "take also the orders of steps that cannot disturb each other")
    .option("--expect <what>", "clean, or INV-TAG,INV-CTX: exit code 1 if something else is found")
    .option("--schedules <dir>", "write a file for each finding, which pinshift replay plays")
    .addOption(formatOption(["table", "json", "csv", "markdown", "html"]))
    .addOption(outOption())
    .action(exploreCommand);
}
