/** What does a full recount cost, and the state hash? */
import type { Host } from "../../src/host.ts";
import type { Contestant, Suite } from "../question.ts";
import { createHost } from "./two-nodes.ts";

async function populated(pages: number): Promise<Host> {
  const host = await createHost({ pages });
  host.createProcess({ pages }).map({ pages, node: 0 }).touch("write");
  return host;
}

function contestant(name: string, run: () => void): Contestant {
  return { name, run, hash: () => null };
}

export const verify: Suite = {
  name: "verify",
  questions(size) {
    const pages = size === "smoke" ? 2048 : 2 ** 20;
    return [
      {
        title: `recount and hash a host of ${2 * pages} frames, ${pages} of them mapped; per mapped page`,
        units: pages,
        warmups: 2,
        rounds: 15,
        contestants: async () => {
          const host = await populated(pages);
          return [
            contestant("verify()", () => {
              const violation = host.verify();
              if (violation !== null) throw new Error(`bench: ${violation.invariant} does not hold`);
            }),
            contestant("stateHash()", () => void host.stateHash()),
          ];
        },
      },
    ];
  },
};
