/** Hosts whose actors take steps at a test's word. */
import * as abi from "../../assembly/abi.ts";
import { Core } from "../../src/core/core.ts";
import { transitionName } from "../../src/core/transitions.ts";
import { Host } from "../../src/host.ts";
import { type HostConfig, configWords } from "../../src/host/config.ts";

export interface ActorSpec {
  /** ACTOR_*. */
  readonly kind: number;
  readonly mm?: number;
  readonly vcpu?: number;
  /** [OP_*, virtual page] each. */
  readonly script?: readonly (readonly [number, number])[];
}

/** The steps that an actor can take, one after the other. */
export interface SteppedActor {
  /** Takes the next transition. Returns its name; "blocked" if it cannot be taken. */
  step: () => string;
  /** Steps up to a transition, which is taken, or to the end. Returns the names of all. */
  stepTo: (last?: string) => string[];
}

export interface ActorHost {
  readonly host: Host;
  readonly core: Core;
  /** Places the next actor. */
  readonly place: (spec: ActorSpec) => SteppedActor;
}

/** A new host with room for two actors. When the first is placed it goes over to the explored clock. */
export async function actorHost(config: HostConfig): Promise<ActorHost> {
  const words = configWords(config);
  words[abi.CFG_ACTORS] = 2;
  const core = await Core.create(words);
  const host: unknown = Reflect.construct(Host, [core, words]);
  if (!(host instanceof Host)) throw new Error("no host was constructed");
  let nr = 0;
  const place = (spec: ActorSpec): SteppedActor => {
    const number = nr++;
    const { kind, mm = 0, vcpu = 0, script = [] } = spec;
    const operations = script.map(([op, page], at) => ((op << 4) | page) << (8 * at));
    core.run((exports) => {
      exports.placeActor(
        number,
        kind,
        mm,
        vcpu,
        operations.reduce((all, one) => all | one, 0),
        0,
      );
      exports.beginSchedule();
    });
    const step = (): string => {
      const taken = core.run((exports) => exports.stepActor(number));
      if (taken === abi.STEP_BLOCKED) return "blocked";
      const at = number * abi.ACTOR_SIZE + abi.ACTOR_TRANSITION;
      return transitionName(core.words(abi.TABLE_ACTORS)[at >> 2] ?? 0).name;
    };
    const stepTo = (last?: string): string[] => {
      const names: string[] = [];
      for (let name = step(); name !== "blocked"; name = step()) {
        names.push(name);
        if (name === last || host.crash !== null) break;
      }
      return names;
    };
    return { step, stepTo };
  };
  return { host, core, place };
}

function withoutActors(core: Core): Uint8Array {
  core.run((exports) => exports.beginSchedule());
  core.words(abi.TABLE_ACTORS).fill(0);
  return core.arena();
}

/** True if both hosts have the same state, apart from their actors. Both are on the explored clock then. */
export function sameState(left: ActorHost, right: ActorHost): boolean {
  return Buffer.compare(withoutActors(left.core), withoutActors(right.core)) === 0;
}
