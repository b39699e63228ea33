/** The models that arguments name: files, or those that come with the package. */
import * as fs from "node:fs";
import type { Model } from "../scenario/model/model.ts";
import { reason } from "./output.ts";
import { UsageError } from "./usage-error.ts";

export interface ChosenModel {
  readonly model: Model;
  /** Its YAML. */
  readonly text: string;
}

/** @throws {UsageError} naming who wanted it */
export function readText(command: string, file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (cause) {
    throw new UsageError(`${command}: ${file}: ${reason(cause)}`);
  }
}

/** @throws {SimError} ERR_MODEL with a line for each problem */
export async function readModel(command: string, file: string): Promise<ChosenModel> {
  const { loadModel } = await import("../scenario/model/load-model.ts");
  const text = readText(command, file);
  return { model: loadModel(text, file), text };
}

/** Names have no dots or slashes, files have. */
export const isPath = (argument: string): boolean => /[./\\]/.test(argument) || fs.existsSync(argument);

/** Schedules name models: one that is not the built-in one of its name would be mistaken for it. */
async function chosenModel(argument: string): Promise<ChosenModel> {
  const { builtinModel, builtinText, isBuiltin } = await import("../scenario/model/builtin.ts");
  if (isBuiltin(argument) || !isPath(argument)) {
    return { model: builtinModel(argument), text: builtinText(argument) };
  }
  const chosen = await readModel("explore", argument);
  const { name } = chosen.model;
  if (isBuiltin(name) && JSON.stringify(chosen.model) !== JSON.stringify(builtinModel(name))) {
    throw new UsageError(
      `explore: ${argument}: a built-in model is called ${name}, too: choose another name`,
    );
  }
  return chosen;
}

/** The models of the arguments, without one all built-in ones. @throws {UsageError} if two have one name */
export async function chosenModels(args: readonly string[]): Promise<ChosenModel[]> {
  const { builtinModels } = await import("../scenario/model/builtin.ts");
  const names = args.length > 0 ? args : builtinModels().map(({ name }) => name);
  const chosen = await Promise.all(names.map(chosenModel));
  const twice = chosen.find(
    ({ model }, i) => chosen.findIndex((other) => other.model.name === model.name) < i,
  );
  if (twice !== undefined) throw new UsageError(`explore: two models are called ${twice.model.name}`);
  return chosen;
}
