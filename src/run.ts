/** What the package exports as pinshift/run: scenarios in simulated time, and what they say of policies. */
export {
  type CompareOptions,
  type CompareProgress,
  type Runner,
  compareScenario,
} from "./run/timed/compare.ts";
export type { Compared, ComparisonReport, OperationSummary, VariantSummary } from "./run/timed/comparison.ts";
export {
  type CurveOptions,
  type CurvePoint,
  type CurveReport,
  type CurveRun,
  pinLoadCurve,
  probabilityOfNoPin,
} from "./run/timed/curve.ts";
export { type Percentiles, percentiles } from "./run/timed/percentiles.ts";
export type {
  BlameRow,
  Bucket,
  HistogramName,
  Interval,
  MetricName,
  Metrics,
  OperationResult,
  TimedRun,
} from "./run/timed/result.ts";
export { type TimedOptions, forkScenario, runScenario } from "./run/timed/run-scenario.ts";
export type { Difference, Estimate, Proportion } from "./run/timed/statistics.ts";
export type { Operation, Scenario, TimedOperation } from "./scenario/scenario.ts";
export { builtinScenario, builtinScenarioNames } from "./scenario/timed/builtin.ts";
export { type LoadOptions, loadScenario } from "./scenario/timed/load-scenario.ts";
export { type PolicyVariant, parseVariant } from "./scenario/variant.ts";
