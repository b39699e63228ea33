// node scripts/mutate.mjs [--only ID,…] [--jobs N] [--json FILE]: breaks the simulated kernel on purpose, one
// mutation at a time in a copy of this tree, and tells who notices: the explorer, else the tests, or nobody.
// Exits 1 if nobody notices a mutation of which the table does not say why.
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { mutations, notClean } from "../test/mutation/mutations.mjs";
import { inlineText } from "./build.mjs";
import { absolute, root } from "./lib.mjs";

/** @typedef {import("../test/mutation/mutations.mjs").Mutation} Mutation */
/** @typedef {{ model: string, variant: string, states: number, events: string[] }} Searched */
/**
 * @typedef {object} Verdict
 * @property {string} id
 * @property {string} file
 * @property {"explore" | "tests" | "none" | "error"} by
 * @property {string} where
 */

const GENERATED = "src/generated";
const EXPLORE_MS = 120_000;
const TESTS_MS = 300_000;

/** Each takes less than a few seconds; one process runs them all. */
const quickTests = [
  "async_pf rfc_worker rfc_callback rfc_completion migrate_step migrator process_actor",
  "reclaim swap shmem_swap disagreements_swap fork file content memcg mmap",
  "migrate migrate_ordinary move_pages offline longterm ksm ksm_swap ksm_rfc",
]
  .flatMap((names) => names.split(" "))
  .map((name) => `test/unit/${name}.test.ts`);

/** The runs of vitest, the quicker first. */
const testRuns = [
  quickTests.concat("test/scenario", "test/golden", "test/property/migration.test.ts"),
  ["-t", "release", "test/differential/differential.test.ts"],
];

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

/** @param {import("node:child_process").ChildProcess} child */
function killGroup({ pid }) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/**
 * Runs Node in a folder. The status is null if the time was up: a mutation may well loop for ever.
 *
 * @param {string} cwd
 * @param {string[]} args
 * @param {number} [timeoutMs]
 * @returns {Promise<{ status: number | null, stdout: string, stderr: string }>}
 */
function runIn(cwd, args, timeoutMs = EXPLORE_MS) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    const timer = setTimeout(() => killGroup(child), timeoutMs);
    child.on("close", (status) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ status, stdout, stderr });
    });
  });
}

/** @param {string} dir */
function modules(dir) {
  return path.join(dir, "node_modules");
}

/**
 * The release core of the tree in `dir`, compiled without what takes long and changes nothing. Returns what
 * the compiler says if it cannot be.
 *
 * @param {string} dir
 */
async function buildCore(dir) {
  const { options } = JSON.parse(fs.readFileSync(path.join(dir, "asconfig.json"), "utf8"));
  const wasm = path.join(dir, GENERATED, "core.wasm");
  fs.rmSync(wasm, { force: true });
  const asc = path.join(modules(dir), "assemblyscript/bin/asc.js");
  const layout = ["--runtime", options.runtime, "--maximumMemory", String(options.maximumMemory)];
  const output = ["--bindings", "raw", "--optimizeLevel", "2", "--outFile", `${GENERATED}/core.wasm`];
  const enable = ["--enable", options.enable.join(",")];
  const { stderr } = await runIn(dir, [asc, "assembly/index.ts", ...layout, ...enable, ...output]);
  if (!fs.existsSync(wasm)) return stderr.trim();
  fs.writeFileSync(path.join(dir, GENERATED, "core-inline.ts"), inlineText(fs.readFileSync(wasm)));
  return "";
}

/**
 * Copies what git knows of, or would, and builds it.
 *
 * @param {string} dir
 */
async function copyTree(dir) {
  const git = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const names = execFileSync("git", git, { cwd: root, encoding: "utf8" }).split("\0");
  for (const file of names.filter((name) => name !== "" && fs.existsSync(absolute(name)))) {
    fs.cpSync(absolute(file), path.join(dir, file));
  }
  fs.symlinkSync(absolute("node_modules"), modules(dir));
  await runIn(dir, ["scripts/build.mjs", "models"]);
  const error = await buildCore(dir);
  if (error !== "") throw new Error(error);
}

/**
 * The searches of all models. With `known` it ends at the first event that is not among those.
 *
 * @param {string} dir
 * @param {string} [known] file with the searches of the tree as it is
 * @returns {Promise<{ searched: Searched[], failed: string }>}
 */
async function explore(dir, known) {
  const tsx = path.join(modules(dir), "tsx/dist/cli.mjs");
  const args = [tsx, "test/mutation/explore-all.ts", ...(known === undefined ? [] : [known])];
  const { status, stdout, stderr } = await runIn(dir, args);
  const searched = stdout
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line));
  const failed = status === null ? "does not end" : status === 0 ? "" : stderr.trim();
  return { searched, failed };
}

/**
 * Returns the test that failed first, "" if none did.
 *
 * @param {string} dir
 * @param {string[]} args
 */
async function runVitest(dir, args) {
  const vitest = path.join(modules(dir), "vitest/vitest.mjs");
  const report = path.join(dir, "vitest.json");
  fs.rmSync(report, { force: true });
  const options = ["--project", "node", "--bail", "1", "--maxWorkers", "1", "--reporter", "json"];
  const { status } = await runIn(dir, [vitest, "run", ...options, "--outputFile", report, ...args], TESTS_MS);
  if (status === 0) return "";
  if (status === null || !fs.existsSync(report)) return "does not end";
  const { testResults } = JSON.parse(fs.readFileSync(report, "utf8"));
  const failed = testResults.find((/** @type {{ status: string }} */ result) => result.status === "failed");
  return failed === undefined ? "does not load" : path.basename(failed.name, ".test.ts");
}

/**
 * @param {string} dir
 * @returns {Promise<string>}
 */
async function runTests(dir) {
  for (const args of testRuns) {
    // oxlint-disable-next-line no-await-in-loop -- the second is for what the first leaves
    const failed = await runVitest(dir, args);
    if (failed !== "") return failed;
  }
  return "";
}

/**
 * Who notices what has been done to the tree in `dir`.
 *
 * @param {string} dir
 * @param {string} known
 * @returns {Promise<Pick<Verdict, "by" | "where">>}
 */
async function notice(dir, known) {
  const { searched, failed } = await explore(dir, known);
  const last = searched.at(-1);
  const event = last?.events[0];
  if (last !== undefined && event !== undefined) {
    return { by: "explore", where: `${event}, ${last.model} (${last.variant})` };
  }
  if (failed !== "") return { by: "explore", where: failed.split("\n").at(-1) ?? "" };
  const failedTest = await runTests(dir);
  return failedTest === "" ? { by: "none", where: "" } : { by: "tests", where: failedTest };
}

/**
 * The text of the file with the mutation in it.
 *
 * @param {string} text
 * @param {Mutation} mutation
 */
function mutated(text, { id, find, replace }) {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${id}: found ${parts.length - 1} times, not once`);
  return parts.join(replace);
}

/**
 * @param {string} dir
 * @param {string} known
 * @param {Mutation} mutation
 * @returns {Promise<Verdict>}
 */
async function tryMutation(dir, known, mutation) {
  const { id } = mutation;
  const file = path.join(dir, mutation.file);
  const text = fs.readFileSync(file, "utf8");
  fs.writeFileSync(file, mutated(text, mutation));
  try {
    const error = await buildCore(dir);
    const verdict =
      error === "" ? await notice(dir, known) : { by: /** @type {const} */ ("error"), where: error };
    return { id, file: mutation.file, ...verdict };
  } finally {
    fs.writeFileSync(file, text);
  }
}

/**
 * What the tree finds as it is. Throws if that is more than is known.
 *
 * @param {string} dir
 * @returns {Promise<string>} file with the searches
 */
async function baseline(dir) {
  const { searched, failed } = await explore(dir);
  if (failed !== "") throw new Error(`the explorer fails without a mutation: ${failed}`);
  const known = notClean.map(({ model }) => model);
  const unclean = searched.filter(({ model, events }) => events.length > 0 && !known.includes(model));
  if (unclean.length > 0) {
    const lines = unclean.map(({ model, variant, events }) => `${model} (${variant}): ${events.join(", ")}`);
    throw new Error(`models that are not clean without a mutation:\n${lines.join("\n")}`);
  }
  const failedTest = await runTests(dir);
  if (failedTest !== "") throw new Error(`a test fails without a mutation: ${failedTest}`);
  const states = searched.reduce((sum, { states: nr }) => sum + nr, 0);
  process.stderr.write(`without a mutation: ${searched.length} searches of ${states} states are clean\n`);
  const file = path.join(dir, "known.json");
  fs.writeFileSync(file, JSON.stringify(searched));
  return file;
}

/** @param {Verdict} verdict */
function told({ by, where }) {
  if (by === "none") return "survived";
  if (by === "error") return `does not compile: ${where}`;
  return by === "explore" ? `explorer: ${where}` : `tests: ${where}`;
}

/**
 * Tries mutations in several copies at a time.
 *
 * @param {readonly Mutation[]} chosen
 * @param {number} jobs
 * @param {string} place
 */
async function tryAll(chosen, jobs, place) {
  const first = path.join(place, "0");
  fs.mkdirSync(first);
  await copyTree(first);
  const known = await baseline(first);
  const copies = Array.from({ length: jobs }, (_, job) => path.join(place, String(job)));
  for (const dir of copies.slice(1)) fs.cpSync(first, dir, { recursive: true, verbatimSymlinks: true });
  const queue = chosen.slice();
  /** @type {Verdict[]} */
  const verdicts = [];
  const work = async (/** @type {string} */ dir) => {
    for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other in this copy
      const verdict = await tryMutation(dir, known, mutation);
      verdicts.push(verdict);
      process.stderr.write(`${verdicts.length}/${chosen.length} ${verdict.id}: ${told(verdict)}\n`);
    }
  };
  await Promise.all(copies.map(work));
  return chosen.flatMap(({ id }) => verdicts.filter((verdict) => verdict.id === id));
}

/** @param {readonly Verdict[]} verdicts */
function table(verdicts) {
  const rows = verdicts.map((verdict) => {
    const what = mutations.find(({ id }) => id === verdict.id)?.what ?? "";
    return `| ${verdict.id} | ${path.basename(verdict.file)} | ${what} | ${told(verdict)} |`;
  });
  return ["| mutation | file | what is broken | noticed by |", "|---|---|---|---|", ...rows, ""].join("\n");
}

/** @param {readonly Verdict[]} verdicts */
function summary(verdicts) {
  const count = (/** @type {Verdict["by"]} */ by) => verdicts.filter((verdict) => verdict.by === by).length;
  return (
    `${verdicts.length} mutations: ${count("explore")} killed by the explorer, ` +
    `${count("tests")} only by the tests, ${count("none")} survived\n`
  );
}

/**
 * Mutations that do not compile, or that nobody notices without a reason.
 *
 * @param {readonly Verdict[]} verdicts
 */
function wrong(verdicts) {
  const explained = mutations.filter(({ survives }) => survives !== undefined).map(({ id }) => id);
  return verdicts
    .filter(({ id, by }) => by === "error" || (by === "none" && !explained.includes(id)))
    .map((verdict) => `${verdict.id}: ${told(verdict)}`);
}

async function main() {
  const { values } = parseArgs({
    options: { only: { type: "string" }, jobs: { type: "string" }, json: { type: "string" } },
  });
  const only = values.only?.split(",");
  const strange = only?.filter((id) => !mutations.some((mutation) => mutation.id === id)) ?? [];
  if (strange.length > 0) throw new Error(`there is no mutation ${strange.join(", ")}`);
  const chosen = mutations.filter(({ id }) => only === undefined || only.includes(id));
  for (const mutation of chosen) mutated(fs.readFileSync(absolute(mutation.file), "utf8"), mutation);

  const place = fs.mkdtempSync(path.join(os.tmpdir(), "pinshift-mutate-"));
  process.on("exit", () => {
    running.forEach(killGroup);
    fs.rmSync(place, { recursive: true, force: true });
  });
  const verdicts = await tryAll(chosen, Number(values.jobs ?? 1), place);
  process.stdout.write(`${table(verdicts)}\n${summary(verdicts)}`);
  if (values.json !== undefined) fs.writeFileSync(values.json, JSON.stringify(verdicts, null, 2));
  const problems = wrong(verdicts);
  if (problems.length === 0) return;
  process.stderr.write(`mutations that nobody notices, or that are none:\n${problems.join("\n")}\n`);
  process.exitCode = 1;
}

process.on("SIGINT", () => process.exit(130));
await main().catch((error) => {
  process.stderr.write(`mutate.mjs: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
