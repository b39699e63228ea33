/** The scenarios that arguments name: files, or those that come with the package; and the list of them. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as zlib from "node:zlib";
import type { Command } from "commander";
import type { Scenario } from "../scenario/scenario.ts";
import { isPath, readText } from "./models.ts";
import { type OutputOptions, columnsFor, emit, formatOption, outOption, paintFor, reason } from "./output.ts";
import { packageVersion } from "./package.ts";

/** Node's own from 22.15 on. */
function zstdDecompress(): ((content: Uint8Array) => Uint8Array) | undefined {
  const found: unknown = Object.entries(zlib).find(([name]) => name === "zstdDecompressSync")?.[1];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of Node 20 do not have it
  return typeof found === "function" ? (found as (content: Uint8Array) => Uint8Array) : undefined;
}

/** Reads the traces that a scenario names: their paths are relative to the folder that it is in. */
export function traceReader(folder: string): (file: string) => Uint8Array {
  return (file) => {
    const decompress = file.endsWith(".zst") ? zstdDecompress() : undefined;
    if (file.endsWith(".zst") && decompress === undefined) {
      throw new Error(`${file}: Node ${process.versions.node} cannot read zstd: decompress it with zstd -d`);
    }
    let content: Uint8Array;
    try {
      content = fs.readFileSync(path.resolve(folder, file));
    } catch (cause) {
      throw new Error(`${file}: ${reason(cause)}`, { cause });
    }
    try {
      return decompress === undefined ? content : decompress(content);
    } catch (cause) {
      throw new Error(`${file}: is not zstd: ${reason(cause)}`, { cause });
    }
  };
}

/**
 * The scenario of an argument, with the values of --set.
 *
 * @throws {UsageError} for a file that cannot be read, naming the command
 * @throws {SimError} ERR_SCENARIO with a line for each problem, ERR_UNKNOWN_NAME
 */
export async function chosenScenario(
  command: string,
  argument: string,
  set: readonly string[],
): Promise<Scenario> {
  const { builtinScenario, isBuiltinScenario } = await import("../scenario/timed/builtin.ts");
  const { loadScenario } = await import("../scenario/timed/load-scenario.ts");
  if (isBuiltinScenario(argument) || !isPath(argument)) {
    return builtinScenario(argument, { set, trace: traceReader(".") });
  }
  const trace = traceReader(path.dirname(argument));
  return loadScenario(readText(command, argument), argument, { set, trace });
}

/** Collects what an option that may be repeated is given. */
export function repeated(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

interface ScenariosOptions extends OutputOptions {
  readonly set: readonly string[];
}

async function scenariosCommand(args: readonly string[], options: ScenariosOptions): Promise<void> {
  const { builtinScenarioNames } = await import("../scenario/timed/builtin.ts");
  const { renderScenariosCsv, renderScenariosJson, renderScenariosTable } =
    await import("../report/scenarios.ts");
  const names = args.length > 0 ? args : builtinScenarioNames;
  const scenarios = await Promise.all(names.map((name) => chosenScenario("scenarios", name, options.set)));
  const render = {
    table: () => renderScenariosTable(scenarios, { paint: paintFor(options), columns: columnsFor(options) }),
    json: () => renderScenariosJson(scenarios, packageVersion()),
    csv: () => renderScenariosCsv(scenarios),
  };
  emit(render[options.format](), options);
}

export function addScenariosCommand(program: Command): void {
  program
    .command("scenarios")
    .description("List the built-in scenarios, or check files and say what is in them.")
    .argument("[scenarios...]", "files, or names of built-in scenarios (default: all that are built in)")
    .option("--set <path=value>", "change a value, as guests[0].vcpus=8; may be repeated", repeated, [])
    .addOption(formatOption())
    .addOption(outOption())
    .action(scenariosCommand);
}
