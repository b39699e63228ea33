/** Follows runs of scenarios: how far they are, and Ctrl-C. */
import type { CompareProgress } from "../run/timed/compare.ts";
import { formatCount, formatDuration } from "../report/format.ts";
import { variantLabel } from "../report/variant.ts";
import { Interrupt } from "./interrupt.ts";
import { Progress } from "./output.ts";

/** "3/35 rfc +L1, seed 2: 1.2 s". */
function progressText({ done, total, variant, seed, nowNs }: CompareProgress): string {
  const who = variant === null ? "" : ` ${variantLabel(variant)},`;
  return `${formatCount(done + 1)}/${formatCount(total)}${who} seed ${seed}: ${formatDuration(nowNs)}`;
}

type Watched<T> = (onProgress: (progress: CompareProgress) => Promise<boolean>) => Promise<T>;

/** Shows how far it is, and ends it on Ctrl-C: the exit code is then that of an interrupt. */
export async function watch<T>(run: Watched<T>): Promise<T> {
  const progress = new Progress();
  const interrupt = new Interrupt();
  const onProgress = async (now: CompareProgress): Promise<boolean> => {
    progress.show(progressText(now));
    // Signals are delivered between turns of the event loop.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return !interrupt.signal.aborted;
  };
  try {
    return await run(onProgress);
  } finally {
    progress.end();
    interrupt.end();
    if (interrupt.signal.aborted) process.exitCode = Interrupt.EXIT_CODE;
  }
}
