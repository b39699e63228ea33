/** pinshift run: the situation of the RFC under every policy. */
import { type Command, Option } from "commander";
import { integerBetween } from "./numbers.ts";
import {
  type OutputOptions,
  Progress,
  columnsFor,
  emit,
  formatOption,
  outOption,
  paintFor,
} from "./output.ts";
import { packageVersion } from "./package.ts";
import { withRepairs } from "./variant.ts";

interface RunOptions extends OutputOptions {
  readonly policy?: string;
  readonly repair?: string;
  readonly kernel: string;
  readonly seed: number;
}

function items(list: string): string[] {
  return list.split(",").map((item) => item.trim());
}

/** The variants that --policy and --repair name together: every rfc has the repairs of both. */
async function chosenVariants(options: RunOptions) {
  const { defaultVariants } = await import("../run/run.ts");
  const { parseVariant } = await import("../scenario/variant.ts");
  if (options.policy === undefined && options.repair === undefined) return defaultVariants;
  const variants = items(options.policy ?? "rfc").map((text) => parseVariant("--policy", text));
  return withRepairs(variants, options);
}

async function runCommand(options: RunOptions): Promise<void> {
  const { run } = await import("../run/run.ts");
  const { parseKernel } = await import("../scenario/variant.ts");
  const { renderRunCsv, renderRunJson, renderRunTable, variantLabel } = await import("../report/run.ts");
  const variants = await chosenVariants(options);
  const progress = new Progress();
  const running = run({
    kernel: parseKernel("--kernel", options.kernel),
    seed: options.seed,
    variants,
    version: packageVersion(),
    onProgress: (variant, nr) => progress.show(`${nr + 1}/${variants.length} ${variantLabel(variant)}`),
  });
  const report = await running.finally(() => progress.end());
  const table = () => renderRunTable(report, { paint: paintFor(options), columns: columnsFor(options) });
  const render = { table, json: () => renderRunJson(report), csv: () => renderRunCsv(report) };
  emit(render[options.format](), options);
}

export function addRunCommand(program: Command): void {
  program
    .command("run")
    .description("Can the block be offlined? The RFC's situation under every policy (the default command).")
    .option("--policy <list>", "policies, as pin,rfc,rfc+L1+L2,drop-get (default: all, and rfc in layers)")
    .option("--repair <list>", "repairs of the policy rfc, as L1,L2")
    .option("--kernel <profile>", "kernel profile: v3.12, v6.1 or v6.12", "v3.12")
    .addOption(new Option("--seed <number>", "which pages are held").argParser(integerBetween()).default(1))
    .addOption(formatOption())
    .addOption(outOption())
    .action(runCommand);
}
