/** pinshift bench: runs the benchmarks of the repository. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import type { Command } from "commander";
import { packageRoot } from "./package.ts";
import { UsageError } from "./usage-error.ts";

function benchCommand(_options: unknown, command: Command): void {
  const main = path.join(packageRoot(), "bench", "main.ts");
  if (!fs.existsSync(main)) {
    throw new UsageError(
      "bench: the package has no benchmarks; run npm run bench in a clone of the repository",
    );
  }
  const tsx = createRequire(main).resolve("tsx/cli");
  const smoke = command.opts<{ smoke?: boolean }>().smoke === true ? ["--smoke"] : [];
  const { status } = spawnSync(process.execPath, [tsx, main, ...smoke, ...command.args], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}

export function addBenchCommand(program: Command): void {
  program
    .command("bench")
    .description("Run the benchmarks (in a clone of the repository; further options go to bench/main.ts).")
    .option("--smoke", "only check that they run")
    .allowUnknownOption()
    .allowExcessArguments()
    .action(benchCommand);
}
