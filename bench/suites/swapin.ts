/** How many pages a second come back from swap, one at a time and with readahead? */
import type { Contestant, Figures, Question, Suite } from "../question.ts";
import { type Swapping, coreSwapping, twinSwapping } from "./swap-device.ts";
import { CORE, aheadOfTwin } from "./two-nodes.ts";

/**
 * Sequential read of 5 GiB from zram in 2.41 s, without readahead and through the swap cache (Minchan Kim,
 * series on swap-in from synchronous devices, 2017).
 */
const ZRAM_NS = 1840;

function zram(figures: Figures): string[] {
  const ns = figures.nsPerUnit(CORE);
  return [
    `a real kernel takes ${ZRAM_NS} ns a page from zram, decompression included (Kim, 2017): ` +
      `${(ZRAM_NS / ns).toFixed(1)} times the core's ${ns.toFixed(0)} ns`,
  ];
}

function swapIn(subject: Swapping, pages: number, cluster: number): Contestant {
  let faults = 0;
  subject.setPageCluster(cluster);
  return {
    name: subject.name,
    prepare() {
      subject.populate();
      subject.pageout();
    },
    run() {
      faults = subject.read();
    },
    hash: () => subject.hash(),
    check() {
      if (faults !== pages) throw new Error(`bench: ${subject.name} has had ${faults} of ${pages} faults`);
    },
  };
}

function question(pages: number, cluster: number): Question {
  return {
    title: `read ${pages} pages back from swap in order, vm.page-cluster ${cluster}, v3.12`,
    units: pages,
    warmups: 2,
    rounds: 15,
    goals: [aheadOfTwin],
    contestants: async () => [
      swapIn(await coreSwapping(pages), pages, cluster),
      swapIn(twinSwapping(pages), pages, cluster),
    ],
    ...(cluster === 0 && { notes: zram }),
  };
}

export const swapin: Suite = {
  name: "swapin",
  questions(size) {
    const pages = size === "smoke" ? 2048 : 2 ** 20;
    return [question(pages, 0), question(pages, 3)];
  },
};
