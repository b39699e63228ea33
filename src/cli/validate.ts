/** pinshift validate: compares with recordings of real kernels, and with published figures. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Command } from "commander";
import type { PublishedReport } from "../run/published.ts";
import type { ValidationReport } from "../run/validate.ts";
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

interface ValidateOptions extends OutputOptions {
  readonly published?: boolean;
  readonly recordings?: boolean;
}

async function replayRecordings(args: readonly string[], progress: Progress): Promise<ValidationReport> {
  const files = chosenFiles(args);
  const { parseRecording, validate } = await import("../run/validate.ts");
  const recordings = files.map((file) => parseRecording(read(file), file));
  progress.show(`replaying ${recordings.length} recordings`);
  return validate(recordings);
}

async function measureFigures(progress: Progress): Promise<PublishedReport> {
  const { measurePublished } = await import("../run/published.ts");
  progress.show("measuring published figures");
  return measurePublished();
}

async function validateCommand(args: string[], options: ValidateOptions): Promise<void> {
  const { published = false, recordings = false } = options;
  const isNamed = recordings || args.length > 0;
  const { renderValidateCsv, renderValidateJson, renderValidateTable } =
    await import("../report/validate.ts");
  const progress = new Progress();
  const reports = {
    recordings: isNamed || !published ? await replayRecordings(args, progress) : null,
    published: published || !isNamed ? await measureFigures(progress) : null,
  };
  progress.end();
  const layout = { paint: paintFor(options), columns: columnsFor(options) };
  const render = {
    table: () => renderValidateTable(reports, layout),
    json: () => renderValidateJson(reports, packageVersion()),
    csv: () => renderValidateCsv(reports),
  };
  emit(render[options.format](), options);
  if (reports.recordings !== null && reports.recordings.disagree > 0) process.exitCode = 1;
}

export function addValidateCommand(program: Command): void {
  program
    .command("validate")
    .description(
      "Replay recordings of real kernels and compare; then compare published figures with what the model " +
        "gives. Exit code 1 if a recording disagrees; a figure outside its band does not change it.",
    )
    .argument("[files...]", `recordings, or folders with them, alone (default: ${DEFAULT_DIR})`)
    .option("--recordings", "the recordings alone")
    .option("--published", "the published figures alone, or beside recordings that are named")
    .addOption(formatOption())
    .addOption(outOption())
    .action(validateCommand);
}
