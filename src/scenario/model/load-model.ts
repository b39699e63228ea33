/** From a YAML text to a model. */
import { SimError } from "../../errors.ts";
import { contradictions } from "./check-meaning.ts";
import type { Contradiction } from "../contradiction.ts";
import { shapeProblems } from "../check-shape.ts";
import type { Model, ModelActor, Operation } from "./model.ts";
import {
  accessTexts,
  modelDocument,
  processTexts,
  type ActorDocument,
  type ModelDocument,
} from "./schema.ts";
import { YamlText, type Problem } from "../yaml-text.ts";

function refuse(text: YamlText, problems: readonly Problem[]): void {
  if (problems.length > 0) throw new SimError("ERR_MODEL", text.report(problems));
}

function operations<Name extends string>(
  texts: readonly string[],
  known: ReadonlyMap<string, Operation<Name>>,
): Operation<Name>[] {
  return texts.flatMap((text) => known.get(text) ?? []);
}

function toActors({ vcpu, migrator, reclaimer, process, pinner, reset }: ActorDocument): ModelActor[] {
  if (vcpu !== undefined) {
    return [{ kind: "vcpu", ...vcpu, access: operations(vcpu.access, accessTexts) }];
  }
  if (process !== undefined) return [{ kind: "process", do: operations(process.do, processTexts) }];
  if (migrator !== undefined) return [{ kind: "migrator", ...migrator }];
  if (reclaimer !== undefined) return [{ kind: "reclaimer", ...reclaimer }];
  if (pinner !== undefined) return [{ kind: "pinner", ...pinner }];
  return reset === undefined ? [] : [{ kind: "reset", ...reset }];
}

function toModel(document: ModelDocument): Model {
  return { ...document, actors: document.actors.flatMap(toActors) };
}

/** The name is known from elsewhere. */
function misnamed(document: ModelDocument, name: string | undefined): Contradiction[] {
  if (name === undefined || document.name === name) return [];
  return [{ path: ["name"], message: `"${document.name}" is not the file's name, ${name}` }];
}

/**
 * Reads a model. `name` is what it must be called, if that is given.
 *
 * @throws {SimError} ERR_MODEL with all problems of the first kind that there is, one a line: what YAML does
 * not allow, what the schema does not, what contradicts itself. Each is `FILE:LINE:COL: path: message`.
 */
export function loadModel(text: string, file: string, name?: string): Model {
  const yaml = new YamlText(text, file);
  refuse(yaml, yaml.problems);
  const { data, error } = modelDocument.safeParse(yaml.value, { reportInput: true });
  if (error !== undefined) {
    throw new SimError("ERR_MODEL", yaml.report(shapeProblems(error.issues, yaml)));
  }
  const found = [...misnamed(data, name), ...contradictions(data)];
  refuse(
    yaml,
    found.map(({ path, message }) => ({ path, message, at: yaml.valueAt(path) })),
  );
  return toModel(data);
}
