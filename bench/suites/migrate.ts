/** How many pages a second does migration move, with nothing in the pages? */
import type { Contestant, Figures, Goal, Question, Size, Suite } from "../question.ts";
import { REFERENCE, referenceSubject } from "./reference-subject.ts";
import { shuffled } from "./shuffle.ts";
import { CORE, type Subject, type TwoNodes, aheadOfTwin, coreSubject, twinSubject } from "./two-nodes.ts";

const MI = 2 ** 20;

/**
 * move_pages(2) of 4 KiB pages on Zen 3, Linux 6.16-rc6: 3.73 GB/s, so 1.10 µs a page with its copy (Garg,
 * RFC V3 "Accelerate page migration with batch copying and hardware offload", 2025).
 */
const REAL_KERNEL_NS = 1100;

export type TouchOrder = "in order" | "in random order";

/**
 * Runs of pages, one after the other. In random order neighbours in the region are not neighbours in memory,
 * as on a host that has run for long.
 */
export function touchOrder(pages: number, order: TouchOrder): (readonly [start: number, count: number])[] {
  return order === "in order" ? [[0, pages]] : shuffled(pages).map((index) => [index, 1]);
}

/**
 * Maps a region, touches its pages, and moves them to and fro between the nodes: the state can be used again
 * without being built again.
 */
export function populated(
  subject: Subject,
  order: Iterable<readonly [start: number, count: number]>,
): Contestant {
  subject.map();
  for (const [start, count] of order) subject.touch(start, count);
  let node = 0;
  return {
    name: subject.name,
    run() {
      node = 1 - node;
      subject.movePages(node);
    },
    hash: () => subject.hash(),
  };
}

function realKernel(figures: Figures): string[] {
  const ns = figures.nsPerUnit(CORE);
  return [
    `a real kernel takes ${REAL_KERNEL_NS} ns a page, its copy of 4 KiB included (Garg, Zen 3): ` +
      `${(REAL_KERNEL_NS / ns).toFixed(1)} times the core's ${ns.toFixed(0)} ns`,
  ];
}

function perSecond(atLeast: number): Goal {
  return {
    text: `at least ${atLeast / 1e6} million pages/s`,
    value: (figures) => 1e9 / figures.nsPerUnit(CORE),
    atLeast,
  };
}

function againstTwin(
  options: TwoNodes,
  order: TouchOrder,
  { rounds, goals = [] }: { readonly rounds: number; readonly goals?: readonly Goal[] },
): Question {
  return {
    title: `migrate ${options.pages} anonymous pages, touched ${order}, v3.12`,
    units: options.pages,
    warmups: 2,
    rounds,
    goals,
    contestants: async () => [
      populated(await coreSubject(options), touchOrder(options.pages, order)),
      populated(twinSubject(options), touchOrder(options.pages, order)),
    ],
    notes: realKernel,
  };
}

function againstReference(pages: number, rounds: number): Question {
  const options = { pages };
  return {
    title: `migrate ${pages} anonymous pages against the model that tests compare with, v3.12`,
    units: pages,
    warmups: 1,
    rounds,
    goals: [
      {
        text: "ahead of the reference model, times",
        value: (figures) => figures.ratio(REFERENCE, CORE),
        atLeast: 10,
      },
    ],
    contestants: async () => [
      populated(await coreSubject(options), touchOrder(pages, "in order")),
      populated(twinSubject(options), touchOrder(pages, "in order")),
      populated(referenceSubject(options), touchOrder(pages, "in order")),
    ],
  };
}

function byKernel(pages: number, rounds: number): Question {
  return {
    title: `migrate ${pages} anonymous pages by kernel profile`,
    units: pages,
    warmups: 2,
    rounds,
    contestants: async () => {
      const found: Contestant[] = [];
      for (const kernel of ["v3.12", "v6.1", "v6.12"] as const) {
        const one = populated(await coreSubject({ pages, kernel }), touchOrder(pages, "in order"));
        // Profiles differ in what they count, so there is nothing to compare.
        found.push({ ...one, name: kernel, hash: () => null });
      }
      return found;
    },
  };
}

export const migrate: Suite = {
  name: "migrate",
  questions(size: Size) {
    const small = size === "smoke";
    return [
      againstTwin({ pages: small ? 4096 : MI }, "in order", {
        rounds: 25,
        goals: [perSecond(5e6), aheadOfTwin],
      }),
      againstTwin({ pages: small ? 1000 : 16 * MI }, "in order", {
        rounds: 9,
        goals: [perSecond(4e6), aheadOfTwin],
      }),
      againstTwin({ pages: small ? 4096 : MI }, "in random order", { rounds: 15 }),
      againstReference(small ? 512 : 2 ** 14, 9),
      byKernel(small ? 2048 : MI, 15),
    ];
  },
};
