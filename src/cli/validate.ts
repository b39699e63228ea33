/** pinshift validate: replays recordings of real kernels and compares. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Command } from "commander";
import type { OutputOptions } from "./output.ts";
import { Progress, columnsFor, emit, formatOption, outOption, paintFor, reason } from "./output.ts";
import { packageVersion } from "./package.ts";
import { UsageError } from "./usage-error.ts";

/** Where a clone of the repository keeps its recordings. */
const DEFAULT_DIR = path.join("test", "golden");

/** The recordings that an argument names: a file, or every *.json below a folder, sorted. */
function filesOf(argument: string): string[] {
  const stat = fs.statSync(argument, { throwIfNoEntry: false });
  if (stat === undefined) throw new UsageError(`validate: ${argument}: no such file or directory`);
  if (!stat.isDirectory()) return [argument];
  const names = fs.readdirSync(argument, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => name.endsWith(".json")).toSorted();
  if (files.length === 0) throw new UsageError(`validate: ${argument}: no *.json file in it or below it`);
  return files.map((name) => path.join(argument, name));
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (cause) {
    throw new UsageError(`validate: ${file}: ${reason(cause)}`);
  }
}

function chosenFiles(args: readonly string[]): string[] {
  if (args.length > 0) return args.flatMap(filesOf);
  if (fs.existsSync(DEFAULT_DIR)) return filesOf(DEFAULT_DIR);
  throw new UsageError(
    `validate: name files or folders with recordings; without any it takes ${DEFAULT_DIR}, which is not here`,
  );
}

async function validateCommand(args: string[], options: OutputOptions): Promise<void> {
  const files = chosenFiles(args);
  const { parseRecording, validate } = await import("../run/validate.ts");
  const { renderValidateCsv, renderValidateJson, renderValidateTable } =
    await import("../report/validate.ts");
  const recordings = files.map((file) => parseRecording(read(file), file));
  const progress = new Progress();
  progress.show(`replaying ${recordings.length} recordings`);
  const report = await validate(recordings);
  progress.end();
  const layout = { paint: paintFor(options), columns: columnsFor(options) };
  const render = {
    table: () => renderValidateTable(report, layout),
    json: () => renderValidateJson(report, packageVersion()),
    csv: () => renderValidateCsv(report),
  };
  emit(render[options.format](), options);
  if (report.disagree > 0) process.exitCode = 1;
}

export function addValidateCommand(program: Command): void {
  program
    .command("validate")
    .description("Replay recordings of real kernels and compare. Exit code 1 on any disagreement.")
    .argument("[files...]", `recordings, or folders with them (default: ${DEFAULT_DIR})`)
    .addOption(formatOption())
    .addOption(outOption())
    .action(validateCommand);
}
