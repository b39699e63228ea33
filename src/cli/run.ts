/** pinshift run: what becomes of a scenario under every policy. */
import { Argument, type Command, Option } from "commander";
import { integerBetween } from "./numbers.ts";
import { formatOption, outOption } from "./output.ts";
import { SITUATION, type SituationOptions, runSituationCommand } from "./situation.ts";

async function runCommand(_scenario: string, options: SituationOptions): Promise<void> {
  await runSituationCommand(options);
}

export function addRunCommand(program: Command): void {
  program
    .command("run")
    .description("Can the block be offlined? The RFC's situation under every policy (the default command).")
    .addArgument(new Argument("[scenario]", "what is run").choices([SITUATION]).default(SITUATION))
    .option("--policy <list>", "policies, as pin,rfc,rfc+L1+L2,drop-get (default: all, and rfc in layers)")
    .option("--repair <list>", "repairs of the policy rfc, as L1,L2")
    .option("--kernel <profile>", "kernel profile: v3.12, v6.1 or v6.12", "v3.12")
    .addOption(new Option("--seed <number>", "which pages are held").argParser(integerBetween()).default(1))
    .addOption(formatOption())
    .addOption(outOption())
    .action(runCommand);
}
