/** With 4096 bytes in each page, does the rest of a migration slow the copying down? */
import { PAGE_SIZE } from "../../assembly/abi.ts";
import type { Contestant, Figures, Goal, Question, Suite } from "../question.ts";
import { type BareCopy, bareCopy } from "./bare-copy.ts";
import { type TouchOrder, populated, touchOrder } from "./migrate.ts";
import { CORE, type TwoNodes, coreSubject, framesPerNode } from "./two-nodes.ts";

const PAGE_BY_PAGE = "memory.copy, page by page";
const IN_RUNS = "memory.copy, in runs";
const LEAST_BANDWIDTH_SHARE = 0.85;

function bandwidth(figures: Figures, name: string): string {
  return `${name} ${(PAGE_SIZE / figures.nsPerUnit(name)).toFixed(2)} GB/s`;
}

function share(of: string): Goal {
  return {
    text: `at least ${LEAST_BANDWIDTH_SHARE} of the bandwidth of ${of}`,
    value: (figures) => figures.ratio(of, CORE),
    atLeast: LEAST_BANDWIDTH_SHARE,
  };
}

/** Copies the pages that the core has moved in this round, from the same frames to the same frames. */
async function copiers(options: TwoNodes, pfns: () => Int32Array): Promise<Contestant[]> {
  let from = pfns();
  let to = from;
  const copier = (name: string, copy: BareCopy, run: () => void): Contestant => ({
    name,
    prepare: () => copy.setPairs(from, to),
    run,
    hash: () => null,
    check: () => copy.check(),
  });
  const nrFrames = 2 * framesPerNode(options.pages);
  const pages = await bareCopy(nrFrames, options.pages);
  const runs = await bareCopy(nrFrames, options.pages);
  const first = copier(PAGE_BY_PAGE, pages, () => pages.copyPages());
  return [
    {
      ...first,
      prepare() {
        from = to;
        to = pfns();
        first.prepare?.();
      },
    },
    copier(IN_RUNS, runs, () => runs.copyRuns()),
  ];
}

function question(options: TwoNodes, order: TouchOrder): Question {
  return {
    title: `migrate ${options.pages} anonymous pages of ${PAGE_SIZE} bytes, touched ${order}, v3.12`,
    units: options.pages,
    warmups: 3,
    rounds: 15,
    goals: order === "in order" ? [share(PAGE_BY_PAGE)] : [],
    contestants: async () => {
      const subject = await coreSubject(options);
      const migration = populated(subject, touchOrder(options.pages, order));
      const pfns = (): Int32Array =>
        Int32Array.from({ length: options.pages }, (_, index) => subject.region().pfnOf(index));
      return [migration, ...(await copiers(options, pfns))];
    },
    notes: (figures) => [CORE, PAGE_BY_PAGE, IN_RUNS].map((name) => bandwidth(figures, name)),
  };
}

export const content: Suite = {
  name: "content",
  questions(size) {
    const options = { pages: size === "smoke" ? 512 : 2 ** 17, contentBytes: PAGE_SIZE };
    return [question(options, "in order"), question(options, "in random order")];
  },
};
