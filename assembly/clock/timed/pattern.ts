/** Which page a task accesses next. */
import {
  PATTERN_PING_PONG,
  PATTERN_SEQUENTIAL,
  PATTERN_SHIFT,
  PATTERN_TRACE,
  PATTERN_ZIPF,
  TABLE_ACCESSES,
} from "../../abi";
import { tablePtr } from "../../arena";
import { drawBelow, quantileAt } from "./draw";
import { Task } from "./task";

/** Spreads ranks over a range: a step that has no factor in common with its length. */
const SPREAD: u64 = 2654435761;

/** Beside the page: the access writes, as the trace says. */
export const WRITES: i32 = 1 << 30;
export const AS_DRAWN: i32 = 1 << 29; // the trace says nothing

/**
 * A rank of a Zipf distribution: ranges of ranks, each with its share of the draws, in which all ranks are
 * alike. The most frequent ones have a range of their own.
 */
function zipfRank(task: Task): i32 {
  const share = <u32>drawBelow(task.stream(), 1 << 24);
  let low = 0;
  let high = task.step - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (quantileAt(task.window + middle).share <= share) low = middle;
    else high = middle;
  }
  const from = <i32>quantileAt(task.window + low).ns;
  const to = <i32>quantileAt(task.window + high).ns;
  return to - from <= 1 ? from : from + drawBelow(task.stream(), to - from);
}

function nextInOrder(task: Task, first: i32, nr: i32): i32 {
  const page = task.cursor < nr ? task.cursor : 0;
  task.cursor = page + 1;
  return first + page;
}

/** So many times has `everyNs` passed. */
function turns(task: Task, nowNs: u64): u64 {
  return task.everyNs == 0 ? 0 : nowNs / task.everyNs;
}

function ofTrace(task: Task): i32 {
  const position = nextInOrder(task, 0, task.step);
  const access = load<i32>(tablePtr(TABLE_ACCESSES) + ((<usize>(task.window + position)) << 2));
  return (access >> 1) | ((access & 1) != 0 ? WRITES : 0);
}

/** The page of the task's next access, within its range; of a trace with WRITES, of all others AS_DRAWN. */
export function nextPageOf(task: Task, nowNs: u64): i32 {
  const nr = task.nrPages;
  const pattern = task.pattern;
  if (pattern == PATTERN_TRACE) return ofTrace(task);
  if (pattern == PATTERN_ZIPF) return AS_DRAWN | <i32>((<u64>zipfRank(task) * SPREAD) % <u64>nr);
  if (pattern == PATTERN_SEQUENTIAL) return AS_DRAWN | nextInOrder(task, 0, nr);
  if (pattern == PATTERN_PING_PONG) {
    const half = nr >> 1;
    return AS_DRAWN | nextInOrder(task, (turns(task, nowNs) & 1) != 0 ? half : 0, max<i32>(half, 1));
  }
  if (pattern == PATTERN_SHIFT) {
    const start = <i32>((turns(task, nowNs) * <u64>task.step) % <u64>nr);
    const page = start + drawBelow(task.stream(), task.window);
    return AS_DRAWN | (page < nr ? page : page - nr);
  }
  return AS_DRAWN | drawBelow(task.stream(), nr);
}
