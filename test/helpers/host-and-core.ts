/** A host together with its core, for tests that read whole tables of it after each operation. */
import type { Core } from "../../src/core/core.ts";
import { Host } from "../../src/host.ts";
import { restoreSnapshot } from "../../src/host/snapshot.ts";

export interface HostAndCore {
  readonly host: Host;
  readonly core: Core;
}

/** As Host.restore(), which keeps the core to itself. */
export async function hostAndCore(snapshot: Uint8Array): Promise<HostAndCore> {
  const { core, words } = await restoreSnapshot(snapshot);
  const host: unknown = Reflect.construct(Host, [core, words]);
  if (!(host instanceof Host)) throw new Error("no host was constructed");
  return { host, core };
}
