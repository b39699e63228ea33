/** How many pages a second does reclaim swap out, when it is told which, and when it has to find them? */
import type { Contestant, Question, Suite } from "../question.ts";
import { type Swapping, coreSwapping, twinSwapping } from "./swap-device.ts";
import { aheadOfTwin } from "./two-nodes.ts";

/** Swaps all pages out. Returns how many each call freed: not the end alone has to be the same. */
type ReclaimAll = (subject: Swapping, pages: number) => readonly number[];

function pageout(subject: Swapping): readonly number[] {
  return [subject.pageout()];
}

/** As kswapd goes on: one call frees what the inactive list has, and ages some more of the active one. */
function reclaimFromLists(subject: Swapping, pages: number): readonly number[] {
  const freed: number[] = [];
  let left = pages;
  while (left > 0) {
    const nr = subject.reclaim(left);
    if (nr === 0) break;
    freed.push(nr);
    left -= nr;
  }
  return freed;
}

function swapOut(subject: Swapping, pages: number, reclaimAll: ReclaimAll): Contestant {
  let freed: readonly number[] = [];
  return {
    name: subject.name,
    prepare: () => subject.populate(),
    run() {
      freed = reclaimAll(subject, pages);
    },
    hash: () => `${subject.hash()} ${freed.join()}`,
    check() {
      const sum = freed.reduce((total, nr) => total + nr, 0);
      if (sum !== pages) throw new Error(`bench: ${subject.name} has freed ${sum} of ${pages} pages`);
    },
  };
}

function question(title: string, pages: number, reclaimAll: ReclaimAll): Question {
  return {
    title,
    units: pages,
    warmups: 2,
    rounds: 15,
    goals: [aheadOfTwin],
    contestants: async () => [
      swapOut(await coreSwapping(pages), pages, reclaimAll),
      swapOut(twinSwapping(pages), pages, reclaimAll),
    ],
  };
}

export const reclaim: Suite = {
  name: "reclaim",
  questions(size) {
    const pages = size === "smoke" ? 2048 : 2 ** 20;
    return [
      question(`swap ${pages} anonymous pages out by MADV_PAGEOUT, v3.12`, pages, pageout),
      question(
        `age ${pages} active pages on the LRU lists and swap them out, v3.12`,
        pages,
        reclaimFromLists,
      ),
    ];
  },
};
