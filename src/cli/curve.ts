/** pinshift curve: how likely memory is to go offline, against the number of pages pinned in it. */
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type ScenarioOptions,
  addScenarioOptions,
  scenarioOf,
  chosenSeeds,
  chosenVariants,
} from "./scenario-options.ts";
import {
  type ChartFormat,
  type Format,
  type OutputOptions,
  columnsFor,
  emit,
  formatOption,
  outOption,
  paintFor,
} from "./output.ts";
import { packageVersion } from "./package.ts";
import { items } from "./variant.ts";
import { watch } from "./watch.ts";

const DEFAULT_SCENARIO = "pin-load";
const DEFAULT_LOADS = [0.1, 0.3, 1, 3];
const MAX_LOAD = 1e6;

interface CurveOptions extends ScenarioOptions, OutputOptions<Format | ChartFormat> {
  readonly loads: readonly number[];
}

/** "0.1,0.3,1". */
function parseLoads(text: string): number[] {
  return items(text).map((item) => {
    const load = /^\d+(\.\d+)?$/.test(item) ? Number(item) : Number.NaN;
    if (load > 0 && load <= MAX_LOAD) return load;
    throw new InvalidArgumentError(`Allowed are numbers above 0, up to ${MAX_LOAD}, as 0.1,0.3,1.`);
  });
}

async function curveCommand(argument: string, options: CurveOptions): Promise<void> {
  const { pinLoadCurve } = await import("../run/timed/curve.ts");
  const reports = await import("../report/timed/curve.ts");
  const scenario = await scenarioOf("curve", argument, options);
  const variants = await chosenVariants(scenario, options);
  const seeds = chosenSeeds(scenario, options);
  const { loads } = options;
  const report = await watch((onProgress) =>
    pinLoadCurve({ scenario, variants, seeds, loads, onProgress, version: packageVersion() }),
  );
  const render = {
    table: () => reports.renderCurveTable(report, { paint: paintFor(options), columns: columnsFor(options) }),
    json: () => reports.renderCurveJson(report),
    csv: () => reports.renderCurveCsv(report),
    svg: () => reports.renderCurveSvg(report),
    html: () => reports.renderCurveHtml(report),
  };
  emit(render[options.format](), options);
}

export function addCurveCommand(program: Command): void {
  const command = program
    .command("curve")
    .description(
      "How likely is it that a block goes offline, and how long does it take, against the number of pages " +
        "pinned in it? Needs a scenario with pinners, whose rate is scaled to each load.",
    )
    .argument("[scenario]", "a file or a built-in scenario", DEFAULT_SCENARIO);
  addScenarioOptions(command)
    .addOption(
      new Option("--loads <list>", "pages that the pinners hold on average, as 0.1,0.3,1,3")
        .argParser(parseLoads)
        .default(DEFAULT_LOADS, DEFAULT_LOADS.join(",")),
    )
    .addOption(formatOption(["table", "json", "csv", "svg", "html"]))
    .addOption(outOption())
    .action(curveCommand);
}
