/** What the package exports as pinshift/explore: bounded models, their exploration, and schedules. */
export { type ExploreOptions, explore } from "./run/explore/explore.ts";
export { type LatticeOptions, type LatticeReport, exploreRepairs } from "./run/explore/lattice.ts";
export type { Variant } from "./run/explore/machine.ts";
export type {
  ExploreReport,
  Finding,
  FindingKind,
  ModelResult,
  PageView,
  ScheduleStep,
  StopReason,
} from "./run/explore/result.ts";
export { type NamedSchedule, type Schedule, parseSchedule, scheduleText } from "./run/explore/schedule.ts";
export type { Bounds, SearchProgress, Strategy } from "./run/explore/search.ts";
export { type Story, tellStory } from "./run/explore/story.ts";
export { builtinModel, builtinModels } from "./scenario/model/builtin.ts";
export { loadModel } from "./scenario/model/load-model.ts";
export type { Model, ModelActor, ModelBounds, PageState } from "./scenario/model/model.ts";
export { modelSchema } from "./scenario/model/schema.ts";
