/** The command line: its commands, and what becomes of their errors. */
import { Command, CommanderError } from "commander";
import { SimError, type SimErrorCode } from "../errors.ts";
import { addBenchCommand } from "./bench.ts";
import { addCurveCommand } from "./curve.ts";
import { addExplainCommands } from "./explain.ts";
import { addExploreCommand } from "./explore.ts";
import { packageVersion } from "./package.ts";
import { addReplayCommand } from "./replay.ts";
import { addRunCommand } from "./run.ts";
import { addScenariosCommand } from "./scenarios.ts";
import { addSchemaCommand } from "./schema.ts";
import { UsageError } from "./usage-error.ts";
import { addValidateCommand } from "./validate.ts";

const EXIT_USAGE = 2;
const EXIT_PANIC = 70; // EX_SOFTWARE

/** Asks for the program as a whole, not for a command. */
const PROGRAM_OPTIONS = new Set(["-h", "--help", "-V", "--version"]);

function createProgram(): Command {
  const program = new Command("pinshift")
    .description("Can a pinned page move? A deterministic model of the part of Linux that decides it.")
    .version(packageVersion())
    .option("--verbose", "print the stack of an error")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(errorLine(text.replace(/^error: /, ""))) })
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 an expectation was not met, 2 wrong usage, 70 a bug of Pinshift, 130 Ctrl-C.",
    );
  addRunCommand(program);
  addCurveCommand(program);
  addExploreCommand(program);
  addReplayCommand(program);
  addValidateCommand(program);
  addExplainCommands(program);
  addScenariosCommand(program);
  addSchemaCommand(program);
  addBenchCommand(program);
  return program;
}

function errorLine(message: string): string {
  return `pinshift: ${message.trim().replaceAll(/\s*\n\s*/g, " ")}\n`;
}

/** Their messages have a line for each problem. */
const LISTS: ReadonlySet<string> = new Set<SimErrorCode>(["ERR_MODEL", "ERR_SCENARIO"]);

/** One line, but one for each problem of a file. */
function errorLines(error: unknown, message: string): string {
  if (!(error instanceof SimError) || !LISTS.has(error.code)) return errorLine(message);
  return message.split("\n").map(errorLine).join("");
}

/** Without a command it is `run`. */
function withCommand(args: readonly string[]): string[] {
  const at = args.findIndex((arg) => arg !== "--verbose");
  const first = at === -1 ? undefined : args[at];
  if (first !== undefined && (!first.startsWith("-") || PROGRAM_OPTIONS.has(first))) return [...args];
  const before = at === -1 ? args.length : at;
  return [...args.slice(0, before), "run", ...args.slice(before)];
}

function isUsage(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof SimError && error.code !== "ERR_CORE_PANIC" && error.code !== "ERR_MEMORY";
}

/** The exit code of an error, which is reported here unless commander has done so. */
function report(error: unknown, verbose: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const usage = isUsage(error);
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    usage ? errorLines(error, message) : errorLine(`panic, a bug of Pinshift: ${message}`),
  );
  const stack = error instanceof Error ? error.stack : undefined;
  if (stack !== undefined && verbose) process.stderr.write(`${stack}\n`);
  return usage ? EXIT_USAGE : EXIT_PANIC;
}

/** Runs the command line. A command that ends without an error may have set process.exitCode itself. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(withCommand(args), { from: "user" });
  } catch (error) {
    process.exitCode = report(error, args.includes("--verbose"));
  }
}
