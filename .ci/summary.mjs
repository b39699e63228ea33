// node .ci/summary.mjs FAILED_STEPS [REPORT EXIT_CODE]…: adds up the JSON reports of vitest.
import * as fs from "node:fs";

const [failedSteps, ...runs] = process.argv.slice(2);
let passed = 0;
let failed = Number(failedSteps);
for (let i = 0; i < runs.length; i += 2) {
  const report = String(runs[i]);
  const none = { numPassedTests: 0, numFailedTests: 0 };
  const counts = fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, "utf8")) : none;
  passed += counts.numPassedTests;
  // A file that does not load fails the run without a failing test in it.
  const failedRun = runs[i + 1] === "0" ? 0 : 1;
  failed += Math.max(counts.numFailedTests, failedRun);
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
