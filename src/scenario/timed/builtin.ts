/** The scenarios that come with the package: scenarios/*.yaml. */
import { scenarioTexts } from "../../generated/scenarios/texts.ts";
import { lookUp } from "../../host/config.ts";
import type { Scenario } from "../scenario.ts";
import { type LoadOptions, loadScenario } from "./load-scenario.ts";

/** Names of the built-in scenarios. */
export const builtinScenarioNames: readonly string[] = Object.keys(scenarioTexts);

export function isBuiltinScenario(name: string): boolean {
  return Object.hasOwn(scenarioTexts, name);
}

/** The YAML of a built-in scenario. @throws {SimError} ERR_UNKNOWN_NAME with the names that there are */
export function builtinScenarioText(name: string): string {
  return lookUp("scenario", scenarioTexts, name);
}

/**
 * A built-in scenario by its name, with settings as `guests[0].vcpus=8`.
 *
 * @throws {SimError} ERR_UNKNOWN_NAME with the names that there are; ERR_SCENARIO for a setting that is wrong
 */
export function builtinScenario(name: string, options: Omit<LoadOptions, "name"> = {}): Scenario {
  return loadScenario(builtinScenarioText(name), `${name}.yaml`, { ...options, name });
}
