/**
 * npx tsx bench/spin/run.ts [--rounds N] [--smoke]
 *
 * The model two-vcpus-migrate as SPIN explores it: every state, and the time to the first violation. Prints
 * JSON. --smoke leaves out three vCPUs. Needs spin and gcc, and says so if they are missing.
 */
import { parseArgs } from "node:util";
import { environment } from "../environment.ts";
import {
  ALL,
  type Build,
  FIRST,
  NO_REDUCTION,
  type Search,
  buildPan,
  findTools,
  removePan,
  search,
} from "./pan.ts";

const USAGE_ERROR = 2;
const MS_PER_SECOND = 1000;

/** Without crashes pan's own search for invalid end states says nothing wrong. */
const ALL_WITH_END_STATES: readonly string[] = ["-n", "-m10000", "-w20", "-c0"];
const ALL_LARGE: readonly string[] = ["-n", "-E", "-m10000", "-w24", "-c0"];

interface Run {
  readonly title: string;
  readonly build: Build;
  readonly options: readonly string[];
  /** Broken invariants that there have to be. */
  readonly expect: "some" | "none";
}

function run(title: string, model: readonly string[], how: readonly string[], rest: Rest): Run {
  return { title, build: { model, search: how }, ...rest };
}

type Rest = Pick<Run, "options" | "expect">;

const three = ["-DVCPUS=3"];
const findsSome: Rest = { options: ALL, expect: "some" };
const clean: Rest = { options: ALL_WITH_END_STATES, expect: "none" };
const first: Rest = { options: FIRST, expect: "some" };
const large: Rest = { options: ALL_LARGE, expect: "some" };

const small: readonly Run[] = [
  run("rfc+L1..L4: all states", [], [NO_REDUCTION], findsSome),
  run("rfc+L1..L4: all states, partial-order reduction", [], [], findsSome),
  run("rfc+L1..L5: all states", ["-DL5"], [NO_REDUCTION], clean),
  run("rfc+L1..L5: all states, partial-order reduction", ["-DL5"], [], clean),
  run("rfc+L1..L5, put_page() left out: all states", ["-DL5", "-DSEED_NO_PUT"], [NO_REDUCTION], findsSome),
  run("rfc+L1..L4: first violation, breadth first", [], [NO_REDUCTION, "-DBFS"], first),
  run("rfc+L1..L4: first violation, depth first", [], [NO_REDUCTION], first),
];

const threeVcpus: readonly Run[] = [
  run("3 vCPUs, rfc+L1..L5: all states", [...three, "-DL5"], [NO_REDUCTION], clean),
  run("3 vCPUs, rfc+L1..L4: all states", three, [NO_REDUCTION], large),
  run("3 vCPUs, rfc+L1..L4: all states, partial-order reduction", three, [], large),
  run("3 vCPUs, rfc+L1..L4: all states, collapse compression", three, [NO_REDUCTION, "-DCOLLAPSE"], large),
  run("3 vCPUs, rfc+L1..L4: hash-compact, may miss states", three, [NO_REDUCTION, "-DHC4"], large),
  run("3 vCPUs, rfc+L1..L4: first violation, breadth first", three, [NO_REDUCTION, "-DBFS"], first),
  run("3 vCPUs, rfc+L1..L4: first violation, depth first", three, [NO_REDUCTION], first),
];

/** @throws if a search was cut short, or found what the model does not have. */
function check(title: string, result: Search, expected: Run["expect"]): void {
  if (!result.complete) throw new Error(`${title}: the search was not completed`);
  const found = result.errors > 0 ? "some" : "none";
  if (found !== expected) {
    throw new Error(`${title}: ${found} instead of ${expected}: ${result.broken.join(", ")}`);
  }
}

/** The search of the median time. */
function median(searches: readonly Search[]): Search {
  const sorted = searches.toSorted((a, b) => a.wallMs - b.wallMs);
  const middle = sorted[sorted.length >> 1];
  if (middle === undefined) throw new Error("spin: no rounds");
  return middle;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function answer({ title, build, options, expect }: Run, rounds: number) {
  const pan = buildPan(build);
  try {
    const searches = Array.from({ length: rounds }, () => search(pan, options));
    for (const one of searches) check(title, one, expect);
    const { wallMs, ...result } = median(searches);
    const seconds = wallMs / MS_PER_SECOND;
    return {
      title,
      model: build.model.join(" "),
      compile: build.search.join(" "),
      options: options.join(" "),
      rounds,
      wallMs: round(wallMs),
      minWallMs: round(Math.min(...searches.map((one) => one.wallMs))),
      spinMs: round(pan.spinMs),
      gccMs: round(pan.gccMs),
      wallWithBuildMs: round(wallMs + pan.spinMs + pan.gccMs),
      statesPerSecond: Math.round(result.states / seconds),
      transitionsPerSecond: Math.round(result.transitions / seconds),
      ...result,
    };
  } finally {
    removePan(pan);
  }
}

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, smoke: { type: "boolean", default: false } },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`spin: --rounds ${options.rounds}: must be a whole number from 1 on\n`);
  process.exit(USAGE_ERROR);
}

const tools = findTools();
if (tools === null) {
  // Not an error: the other benchmarks do without.
  process.stderr.write("spin: needs spin and gcc, left out. On Debian: apt-get install -y spin gcc\n");
} else {
  const runs = options.smoke ? small : [...small, ...threeVcpus];
  const answers = runs.map((one) => {
    if (process.stderr.isTTY) process.stderr.write(`spin: ${one.title}\n`);
    return answer(one, options.smoke ? 1 : rounds);
  });
  process.stdout.write(
    `${JSON.stringify({ command: "bench-spin", ...environment(), tools, runs: answers }, null, 2)}\n`,
  );
}
