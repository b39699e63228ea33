/** Hosts together with their cores, for tests that read whole tables of them after each operation. */
import { Core } from "../../src/core/core.ts";
import { Host } from "../../src/host.ts";
import { type HostConfig, configWords } from "../../src/host/config.ts";

export interface HostAndCore {
  readonly host: Host;
  readonly core: Core;
}

/** An instance of a configuration, and its arena when it was new. */
interface Instance {
  readonly core: Core;
  readonly arena: Uint8Array;
}

const instances = new Map<string, Instance>();

async function instanceOf(words: Int32Array): Promise<Instance> {
  const key = words.join(" ");
  const known = instances.get(key);
  if (known !== undefined) return known;
  const core = await Core.create(words);
  const instance = { core, arena: core.arena().slice() };
  instances.set(key, instance);
  return instance;
}

/**
 * A new host, as Host.create() makes it, in the memory of an earlier one of the same configuration: all that
 * is state is in the arena. The earlier host must not be used any more.
 */
export async function newHost(config: HostConfig): Promise<HostAndCore> {
  const words = configWords(config);
  const { core, arena } = await instanceOf(words);
  core.arena().set(arena);
  const host: unknown = Reflect.construct(Host, [core, words]);
  if (!(host instanceof Host)) throw new Error("no host was constructed");
  return { host, core };
}

/** Lets hosts from now on have new instances: another core is in use, or one may have panicked. */
export function forgetInstances(): void {
  instances.clear();
}
