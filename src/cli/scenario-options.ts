/** The options that say what of a scenario is run: policies, seeds, other values. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Scenario } from "../scenario/scenario.ts";
import type { PolicyVariant } from "../scenario/variant.ts";
import { integerBetween } from "./numbers.ts";
import { chosenScenario, repeated } from "./scenarios.ts";
import { items, withRepairs } from "./variant.ts";

const MAX_SEEDS = 100_000;

/** What `pinshift run` and `pinshift curve` have in common. */
export interface ScenarioOptions {
  readonly policy?: string;
  readonly repair?: string;
  readonly seed?: number;
  readonly seeds?: readonly number[];
  readonly kernel?: string;
  readonly set: readonly string[];
}

/** "1..5", "1,3,7". */
function parseSeeds(text: string): number[] {
  const integer = integerBetween();
  const [first, last] = text.split("..").map((part) => part.trim());
  if (first === undefined || last === undefined) return items(text).map(integer);
  const from = integer(first);
  const nr = integer(last) - from + 1;
  if (nr >= 1 && nr <= MAX_SEEDS) return Array.from({ length: nr }, (_, i) => from + i);
  throw new InvalidArgumentError(`Allowed are 1 to ${MAX_SEEDS} seeds, as 1..5.`);
}

export function addScenarioOptions(command: Command): Command {
  return command
    .option("--policy <list>", "policies, as pin,rfc,rfc+L1+L2,drop-get (default: those of the scenario)")
    .option("--repair <list>", "repairs of the policy rfc, as L1,L2")
    .option("--kernel <profile>", "kernel profile: v3.12, v6.1 or v6.12 (default: that of the scenario)")
    .addOption(new Option("--seed <number>", "one seed").argParser(integerBetween()).conflicts("seeds"))
    .addOption(new Option("--seeds <range>", "seeds, as 1..5 or 1,3,7").argParser(parseSeeds))
    .option("--set <path=value>", "change a value, as guests[0].vcpus=8; may be repeated", repeated, []);
}

/** The scenario of an argument, with --kernel and --set. @throws as chosenScenario() */
export async function scenarioOf(
  command: string,
  argument: string,
  options: ScenarioOptions,
): Promise<Scenario> {
  const { parseKernel } = await import("../scenario/variant.ts");
  const kernel = options.kernel === undefined ? [] : [`kernel=${parseKernel("--kernel", options.kernel)}`];
  return chosenScenario(command, argument, [...kernel, ...options.set]);
}

/** Those of --policy and --repair, else those of the scenario. */
export async function chosenVariants(
  scenario: Scenario,
  options: ScenarioOptions,
): Promise<readonly PolicyVariant[]> {
  const { parseVariant } = await import("../scenario/variant.ts");
  if (options.policy === undefined && options.repair === undefined) {
    return scenario.policies.map((text) => parseVariant(scenario.name, text));
  }
  const variants = items(options.policy ?? "rfc").map((text) => parseVariant("--policy", text));
  return withRepairs(variants, options);
}

export function chosenSeeds(scenario: Scenario, { seed, seeds }: ScenarioOptions): readonly number[] {
  return seed === undefined ? (seeds ?? scenario.seeds) : [seed];
}
