/** pinshift run situation: the situation of the RFC under every policy. */
import { type OutputOptions, Progress, columnsFor, emit, paintFor } from "./output.ts";
import { packageVersion } from "./package.ts";
import { items, withRepairs } from "./variant.ts";

/** What it is called on the command line. */
export const SITUATION = "situation";

export interface SituationOptions extends OutputOptions {
  readonly policy?: string;
  readonly repair?: string;
  readonly kernel: string;
  readonly seed: number;
}

/** The variants that --policy and --repair name together: every rfc has the repairs of both. */
async function chosenVariants(options: SituationOptions) {
  const { defaultVariants } = await import("../run/situations.ts");
  const { parseVariant } = await import("../scenario/variant.ts");
  if (options.policy === undefined && options.repair === undefined) return defaultVariants;
  const variants = items(options.policy ?? "rfc").map((text) => parseVariant("--policy", text));
  return withRepairs(variants, options);
}

export async function runSituationCommand(options: SituationOptions): Promise<void> {
  const { runSituations } = await import("../run/situations.ts");
  const { parseKernel } = await import("../scenario/variant.ts");
  const reports = await import("../report/situation.ts");
  const { variantLabel } = await import("../report/variant.ts");
  const variants = await chosenVariants(options);
  const progress = new Progress();
  const running = runSituations({
    kernel: parseKernel("--kernel", options.kernel),
    seed: options.seed,
    variants,
    version: packageVersion(),
    onProgress: (variant, nr) => progress.show(`${nr + 1}/${variants.length} ${variantLabel(variant)}`),
  });
  const report = await running.finally(() => progress.end());
  const layout = { paint: paintFor(options), columns: columnsFor(options) };
  const render = {
    table: () => reports.renderSituationTable(report, layout),
    json: () => reports.renderSituationJson(report),
    csv: () => reports.renderSituationCsv(report),
  };
  emit(render[options.format](), options);
}
