/** The models that come with the package: models/*.yaml. */
import { modelTexts } from "../../generated/models/texts.ts";
import { lookUp } from "../../host/config.ts";
import { loadModel } from "./load-model.ts";
import type { Model } from "./model.ts";

let loaded: readonly Model[] | undefined;

/** The built-in models, by name. */
export function builtinModels(): readonly Model[] {
  loaded ??= Object.entries(modelTexts).map(([name, text]) => loadModel(text, `${name}.yaml`, name));
  return loaded;
}

/** The YAML of a built-in model. @throws {SimError} ERR_UNKNOWN_NAME with the names that there are */
export function builtinText(name: string): string {
  return lookUp("model", modelTexts, name);
}

export function isBuiltin(name: string): boolean {
  return Object.hasOwn(modelTexts, name);
}

/** A built-in model by its name. @throws {SimError} ERR_UNKNOWN_NAME with the names that there are */
export function builtinModel(name: string): Model {
  const byName = Object.fromEntries(builtinModels().map((model) => [model.name, model]));
  return lookUp("model", byName, name);
}
