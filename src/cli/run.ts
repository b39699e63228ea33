/** pinshift run: what becomes of a scenario under every policy. */
import { type Command, Option } from "commander";
import type { FailRule } from "../run/timed/fail-on.ts";
import type { ComparisonReport } from "../run/timed/comparison.ts";
import {
  type ScenarioOptions,
  addScenarioOptions,
  scenarioOf,
  chosenSeeds,
  chosenVariants,
} from "./scenario-options.ts";
import { type OutputOptions, columnsFor, emit, formatOption, outOption, paintFor } from "./output.ts";
import { packageVersion } from "./package.ts";
import { SITUATION, runSituationCommand } from "./situation.ts";
import { UsageError } from "./usage-error.ts";
import { items } from "./variant.ts";
import { watch } from "./watch.ts";

const DEFAULT_SCENARIO = "rfc-under-load";
const EXIT_UNMET = 1;

interface RunOptions extends ScenarioOptions, OutputOptions {
  readonly fork?: boolean;
  readonly percentiles?: boolean;
  readonly metrics?: boolean;
  readonly intervals?: boolean;
  readonly failOn?: string;
}

/** The straight clock has one situation, in which nothing takes turns. */
async function runSituation(options: RunOptions): Promise<void> {
  const { seeds, set, fork, percentiles, metrics, intervals, failOn, seed = 1, kernel = "v3.12" } = options;
  const foreign = {
    "--seeds": seeds,
    "--set": set.length > 0 ? set : undefined,
    "--fork": fork,
    "--percentiles": percentiles,
    "--metrics": metrics,
    "--intervals": intervals,
    "--fail-on": failOn,
  };
  const [refused] = Object.entries(foreign).find(([, value]) => value !== undefined) ?? [];
  if (refused !== undefined) throw new UsageError(`${refused}: is for scenarios, not for ${SITUATION}`);
  await runSituationCommand({ ...options, seed, kernel });
}

async function render(report: ComparisonReport, options: RunOptions): Promise<string> {
  const { renderComparisonTable } = await import("../report/timed/table.ts");
  const { renderComparisonJson } = await import("../report/timed/json.ts");
  const { renderComparisonCsv, renderIntervalsCsv } = await import("../report/timed/csv.ts");
  const layout = { paint: paintFor(options), columns: columnsFor(options) };
  const forms = {
    table: () => renderComparisonTable(report, layout, options),
    json: () => renderComparisonJson(report, options),
    csv: () => (options.intervals === true ? renderIntervalsCsv(report) : renderComparisonCsv(report)),
  };
  return forms[options.format]();
}

async function failRules(options: RunOptions): Promise<FailRule[]> {
  const { parseFailRule } = await import("../run/timed/fail-on.ts");
  return options.failOn === undefined
    ? []
    : items(options.failOn).map((text) => parseFailRule("--fail-on", text));
}

async function reportFailures(report: ComparisonReport, rules: readonly FailRule[]): Promise<void> {
  const { failures } = await import("../run/timed/fail-on.ts");
  const found = failures(report, rules);
  for (const line of found) process.stderr.write(`pinshift: --fail-on: ${line}\n`);
  if (found.length > 0) process.exitCode = EXIT_UNMET;
}

async function runCommand(argument: string, options: RunOptions): Promise<void> {
  if (argument === SITUATION) return runSituation(options);
  const { checkFailRules } = await import("../run/timed/fail-on.ts");
  const { compareScenario } = await import("../run/timed/compare.ts");
  const rules = await failRules(options);
  const scenario = await scenarioOf("run", argument, options);
  const variants = await chosenVariants(scenario, options);
  checkFailRules("--fail-on", rules, variants);
  if (options.intervals === true && scenario.intervalNs === null) {
    throw new UsageError(`--intervals: ${scenario.name} takes none: --set interval=100ms`);
  }
  const seeds = chosenSeeds(scenario, options);
  const { fork = false } = options;
  const report = await watch((onProgress) =>
    compareScenario({ scenario, variants, seeds, fork, onProgress, version: packageVersion() }),
  );
  if (report.runs.length === 0) {
    process.stderr.write("pinshift: run: interrupted before a run had ended\n");
    return undefined;
  }
  emit(await render(report, options), options);
  return reportFailures(report, rules);
}

export function addRunCommand(program: Command): void {
  const command = program
    .command("run")
    .description(
      "What becomes of a scenario in simulated time, under every policy with every seed (the default " +
        "command). Ctrl-C prints what was run so far.",
    )
    .argument(
      "[scenario]",
      `a file, a built-in scenario, or ${SITUATION}: the RFC's, without time`,
      DEFAULT_SCENARIO,
    );
  addScenarioOptions(command)
    .option("--fork", "every policy goes on from one state, that of the first before its first operation")
    .option("--percentiles", "percentiles of durations")
    .option("--metrics", "means of all that is counted")
    .option("--intervals", "what was counted in each interval of the scenario")
    .addOption(
      new Option(
        "--fail-on <list>",
        "exit code 1 if it happens: crash, broken (an invariant), failed (an operation), as drop-get:failed",
      ),
    )
    .addOption(formatOption())
    .addOption(outOption())
    .action(runCommand);
}
