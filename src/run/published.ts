/** Compares the model with figures that others have published. */
import { asyncPageFaults } from "./published/async-pf.ts";
import { bulkMoves, bulkNotModelled } from "./published/bulk.ts";
import type { Experiment, FigureNotModelled, MeasuredFigure } from "./published/figure.ts";
import { offlineNotModelled, offlines } from "./published/offline.ts";
import { swapIns, swapInsNotModelled } from "./published/swap-in.ts";

export type { Experiment, Figure, FigureNotModelled, MeasuredFigure } from "./published/figure.ts";

export const experiments: readonly Experiment[] = [...bulkMoves, ...offlines, ...asyncPageFaults, ...swapIns];

export interface PublishedReport {
  readonly figures: readonly MeasuredFigure[];
  readonly notModelled: readonly FigureNotModelled[];
}

/** Runs all experiments, one after the other: some ten seconds. */
export async function measurePublished(): Promise<PublishedReport> {
  const figures: MeasuredFigure[] = [];
  for (const one of experiments) {
    // oxlint-disable-next-line no-await-in-loop -- one host at a time: each holds tens of MiB
    figures.push(...(await one.measure()));
  }
  return { figures, notModelled: [...bulkNotModelled, ...offlineNotModelled, ...swapInsNotModelled] };
}
