/** How long does a host of 64 Mi frames, 256 GiB, take to build, and how large is it? */
import { MAX_PFN } from "../../assembly/abi.ts";
import { Host } from "../../src/host.ts";
import type { Suite } from "../question.ts";

const NS_PER_S = 1e9;

export const init: Suite = {
  name: "init",
  questions(size) {
    const frames = size === "smoke" ? 2 ** 16 : MAX_PFN;
    const create = "Host.create()";
    let host: Host | null = null;
    const bytesPerFrame = (): number => (host?.memoryBytes ?? Number.NaN) / frames;
    return [
      {
        title: `build a host of ${frames} frames; per frame`,
        units: frames,
        warmups: 1,
        rounds: 5,
        goals: [
          {
            text: "at most 1 s",
            value: (figures) => (figures.nsPerUnit(create) * frames) / NS_PER_S,
            atMost: 1,
          },
          { text: "at most 40 bytes a frame", value: bytesPerFrame, atMost: 40 },
        ],
        contestants: () => [
          {
            name: create,
            prepare() {
              host = null;
            },
            async run() {
              host = await Host.create({ nodes: [{ zones: [{ kind: "movable", pages: frames }] }] });
            },
            hash: () => null,
          },
        ],
      },
    ];
  },
};
