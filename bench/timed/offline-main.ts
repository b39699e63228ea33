/**
 * npx tsx bench/timed/offline-main.ts SECONDS BLOCKS POLICY…
 *
 * Runs the scenario of offline.ts under each policy: simulated seconds, blocks of ordinary memory.
 * Prints JSON.
 */
import { type OfflineRun, runOffline } from "./offline.ts";

const [seconds, blocks, ...policies] = process.argv.slice(2);
const runs: OfflineRun[] = [];
for (const policy of policies) {
  // oxlint-disable-next-line no-await-in-loop
  runs.push(await runOffline(policy, { seconds: Number(seconds), blocks: Number(blocks) }));
}
process.stdout.write(`${JSON.stringify(runs)}\n`);
