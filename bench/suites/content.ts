/** With 4096 bytes in each page, does the rest of a migration slow the copying down? */
import { PAGE_SIZE } from "../../assembly/abi.ts";
import type { Contestant, Figures, Question, Suite } from "../question.ts";
import { type BareCopy, bareCopy } from "./bare-copy.ts";
import { pingPong } from "./migrate.ts";
import { CORE, type TwoNodes, coreSubject, framesPerNode } from "./two-nodes.ts";

const COPY = "bare memory.copy";
const LEAST_BANDWIDTH_SHARE = 0.85;
const BYTES_PER_GB = 1e9;

function gigabytesPerSecond(figures: Figures, name: string): string {
  return ((PAGE_SIZE / figures.nsPerPage(name)) * (1e9 / BYTES_PER_GB)).toFixed(2);
}

/** Copies the pages that the core has moved in this round, from the same frames to the same frames. */
function copier(copy: BareCopy, pfns: () => Int32Array): Contestant {
  let from = pfns();
  let to = from;
  return {
    name: COPY,
    prepare() {
      from = to;
      to = pfns();
      copy.setPairs(from, to);
    },
    run: () => copy.run(),
    hash: () => null,
    check: () => copy.check(),
  };
}

function question(options: TwoNodes, rounds: number): Question {
  return {
    title: `migrate ${options.pages} anonymous pages of ${PAGE_SIZE} bytes, v3.12`,
    pages: options.pages,
    warmups: 3,
    rounds,
    goals: [
      {
        text: `at least ${LEAST_BANDWIDTH_SHARE} of the bandwidth of a bare memory.copy`,
        value: (figures) => figures.ratio(COPY, CORE),
        atLeast: LEAST_BANDWIDTH_SHARE,
      },
    ],
    contestants: async () => {
      const subject = await coreSubject(options);
      subject.map();
      subject.touch(0, options.pages);
      const pfns = (): Int32Array =>
        Int32Array.from({ length: options.pages }, (_, index) => subject.region().pfnOf(index));
      const frames = 2 * framesPerNode(options.pages);
      return [pingPong(subject), copier(await bareCopy(frames, options.pages), pfns)];
    },
    notes: (figures) => [
      `${CORE} ${gigabytesPerSecond(figures, CORE)} GB/s, ${COPY} ${gigabytesPerSecond(figures, COPY)}`,
    ],
  };
}

export const content: Suite = {
  name: "content",
  questions: (size) => [question({ pages: size === "smoke" ? 512 : 2 ** 17, contentBytes: PAGE_SIZE }, 15)],
};
