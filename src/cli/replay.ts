/** pinshift replay: plays a schedule that pinshift explore has found, and tells it step by step. */
import * as fs from "node:fs";
import type { Command } from "commander";
import { Option } from "commander";
import type { ReadSchedule } from "../run/explore/schedule-file.ts";
import type { Model } from "../scenario/model/model.ts";
import { readModel, readText } from "./models.ts";
import { integerBetween } from "./numbers.ts";
import type { OutputOptions } from "./output.ts";
import { columnsFor, emit, formatOption, outOption, paintFor } from "./output.ts";
import { packageVersion } from "./package.ts";
import { UsageError } from "./usage-error.ts";

interface ReplayOptions extends OutputOptions<"table" | "json" | "markdown" | "html"> {
  readonly model?: string;
  readonly finding?: number;
}

async function scheduleOf(argument: string, { finding }: ReplayOptions): Promise<ReadSchedule> {
  const { readSchedule } = await import("../run/explore/schedule-file.ts");
  if (fs.existsSync(argument)) return readSchedule(readText("replay", argument), argument, finding);
  const { isSchedule, parseSchedule } = await import("../run/explore/schedule.ts");
  if (!isSchedule(argument)) {
    const text = JSON.stringify(argument);
    throw new UsageError(
      `replay: ${text} is no file that there is, nor a schedule as migrate@v3.12/rfc+L1:a3b2`,
    );
  }
  if (finding !== undefined)
    throw new UsageError("--finding: is for a file, a schedule is one finding alone");
  return { ...parseSchedule(argument), yaml: undefined };
}

/** The model that a schedule is of: that of --model, of the file, or a built-in one. */
async function modelOf(argument: string, read: ReadSchedule, { model: file }: ReplayOptions): Promise<Model> {
  if (file !== undefined) {
    const { model } = await readModel("--model", file);
    if (model.name === read.model) return model;
    throw new UsageError(`--model: ${file} has the model ${model.name}, the schedule is of ${read.model}`);
  }
  if (read.yaml !== undefined) {
    const { loadModel } = await import("../scenario/model/load-model.ts");
    return loadModel(read.yaml, `${argument}: yaml`, read.model);
  }
  const { builtinModel, isBuiltin } = await import("../scenario/model/builtin.ts");
  if (isBuiltin(read.model)) return builtinModel(read.model);
  throw new UsageError(`replay: the model ${read.model} is not built in: name its file with --model`);
}

async function replayCommand(argument: string, options: ReplayOptions): Promise<void> {
  const read = await scheduleOf(argument, options);
  const model = await modelOf(argument, read, options);
  const { tellStory } = await import("../run/explore/story.ts");
  const reports = await import("../report/story.ts");
  const story = await tellStory(model, read.variant, read.schedule, packageVersion());
  const layout = { paint: paintFor(options), columns: columnsFor(options) };
  const render = {
    table: () => reports.renderStoryTable(story, layout),
    json: () => reports.renderStoryJson(story),
    markdown: () => reports.renderStoryMarkdown(story),
    html: () => reports.renderStoryHtml(story),
  };
  emit(render[options.format](), options);
}

export function addReplayCommand(program: Command): void {
  program
    .command("replay")
    .description("Play a schedule that explore has found, and tell what each step does and breaks.")
    .argument("<schedule>", "a schedule, or a file with one: a JSON report of explore, a file of --schedules")
    .option("--model <file>", "the model, if it is not built in")
    .addOption(
      new Option("--finding <number>", "which finding of a report (default: 1)").argParser(integerBetween(1)),
    )
    .addOption(formatOption(["table", "json", "markdown", "html"]))
    .addOption(outOption())
    .action(replayCommand);
}
