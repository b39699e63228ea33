// node scripts/tidy.mjs: the rules on this tree that no linter knows. Prints file:line and exits 1.
import * as fs from "node:fs";
import * as path from "node:path";
import { absolute, runAsMain } from "./lib.mjs";

const MAX_LINES = 400;
const MAX_COLUMNS = 110;
const ABI = "assembly/abi.ts";

/** @typedef {{ line: number, message: string }} Problem */

/**
 * @typedef {object} Layer
 * @property {string} at a file, or a folder ending in "/"
 * @property {string[]} imports what its files may import: files, folders, packages; "*" is any package
 */

const state = [ABI, "assembly/arena.ts", "assembly/env.ts", "assembly/state/"];
const kernel = [...state, "assembly/kernel/"];
const core = [ABI, "src/errors.ts", "src/core/", "src/generated/"];
const host = ["src/errors.ts", "src/core/", "src/host.ts", "src/host/"];
const scenario = [...host, "src/scenario/"];
const run = [...scenario, "src/run/"];
const explain = ["src/core/", "src/explain/", "src/scenario/timed/notes.ts"];
const report = [...run, ...explain, "src/explain.ts", "src/report/"];
const worker = [...report, "src/worker/"];

/**
 * Who may import whom: the first match is a file's layer. Imports point down only.
 *
 * @type {Layer[]}
 */
const layers = [
  { at: ABI, imports: [] },
  { at: "assembly/defines.d.ts", imports: [] },
  { at: "assembly/arena.ts", imports: [ABI, "assembly/env.ts"] },
  { at: "assembly/env.ts", imports: [ABI] },
  { at: "assembly/state/", imports: state },
  { at: "assembly/kernel/", imports: kernel },
  { at: "assembly/actors/", imports: [...kernel, "assembly/actors/"] },
  { at: "assembly/clock/", imports: [...kernel, "assembly/actors/", "assembly/check/", "assembly/clock/"] },
  { at: "assembly/check/", imports: [...state, "assembly/check/"] },
  { at: "assembly/index.ts", imports: ["assembly/"] },

  { at: "src/errors.ts", imports: [] },
  { at: "src/core/", imports: core },
  { at: "src/host.ts", imports: host },
  { at: "src/host/", imports: host },
  {
    at: "src/scenario/",
    imports: [...scenario, "src/generated/models/", "src/generated/scenarios/", "yaml", "zod"],
  },
  {
    at: "src/run/",
    imports: [...run, "@stdlib/stats-padjust", "@stdlib/stats-ttest", "hdr-histogram-js"],
  },
  { at: "src/explain.ts", imports: explain },
  { at: "src/explain/", imports: explain },
  { at: "src/report/", imports: [...report, "cli-table3", "d3-scale"] },
  { at: "src/worker/", imports: [...worker, "comlink", "node:"] },
  { at: "src/index.ts", imports: worker },
  { at: "src/explore.ts", imports: run },
  { at: "src/run.ts", imports: run },
  { at: "src/cli/", imports: [...worker, "src/index.ts", "src/cli/", "commander", "node:"] },
  { at: "src/page/", imports: [...worker, "src/index.ts", "src/page/"] },

  // Anything more, and the slow model is no independent witness.
  { at: "test/reference/", imports: [ABI, "test/reference/"] },
  { at: "test/bench/", imports: ["bench/", "*"] },
  { at: "test/", imports: [ABI, "src/", "test/", "scripts/", "*"] },
  {
    at: "bench/",
    imports: [ABI, "src/", "bench/", "test/reference/", "tinybench", "assemblyscript/asc", "node:"],
  },
  { at: "scripts/mutate.mjs", imports: ["scripts/", "test/mutation/", "node:"] },
  // Set-up runs them before anything is installed.
  { at: "scripts/", imports: ["scripts/", "node:"] },
];

/** @type {{ pattern: RegExp, in: string[], except?: string, message: string }[]} */
const banned = [
  {
    pattern: /\b(TODO|FIXME)\b/,
    in: [""],
    message: "is a note to oneself: do it, or write it down elsewhere",
  },
  { pattern: /\bconsole\.log\b/, in: [""], message: "write to process.stdout, or return a value" },
  {
    pattern: /\b(describe|it|test|bench)\.only\b/,
    in: ["test/", "bench/"],
    message: "leaves out the other tests",
  },
  {
    pattern: /\b(Math\.random|Date\.now|new Date|performance\.now)\b/,
    in: ["assembly/", "src/core/", "src/host.ts", "src/scenario/"],
    message: "the same scenario and seed must give the same bytes",
  },
  {
    pattern: /\bWebAssembly\b/,
    in: ["src/"],
    except: "src/core/",
    message: "only src/core knows what the core is made of",
  },
];

// They have to spell what they forbid.
const mayNameBanned = ["scripts/tidy.mjs", "test/unit/tidy.test.ts"];

/** @param {string} file @param {string} place */
function isIn(file, place) {
  return place === "" || place === file || (place.endsWith("/") && file.startsWith(place));
}

/** @param {string} allowed @param {string} specifier */
function allowsPackage(allowed, specifier) {
  if (allowed === "*") return true;
  return allowed === "node:" ? specifier.startsWith(allowed) : allowed === specifier;
}

/**
 * Every module that the text names in an import or export, with its line.
 *
 * @param {string} text
 */
function importsOf(text) {
  const statement =
    /^(?:import|export)\b[^;"'(=]*\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return Array.from(text.matchAll(statement), (match) => {
    // A statement over several lines is reported where the module is named.
    const end = match.index + match[0].length;
    return { specifier: match[1] ?? match[2] ?? match[3] ?? "", line: text.slice(0, end).split("\n").length };
  });
}

/**
 * @param {string} file
 * @param {string} text
 * @returns {Problem[]}
 */
function checkLayer(file, text) {
  const layer = layers.find(({ at }) => isIn(file, at));
  if (layer === undefined)
    return [{ line: 1, message: "is in no layer: add it to the table in scripts/tidy.mjs" }];

  return importsOf(text).flatMap(({ specifier, line }) => {
    let allowed;
    if (specifier.startsWith(".")) {
      const target = path.posix.join(path.posix.dirname(file), specifier);
      // asc takes imports without an extension.
      const targetFile = path.posix.extname(target) === "" ? `${target}.ts` : target;
      allowed = layer.imports.some((place) => isIn(targetFile, place));
    } else {
      allowed = layer.imports.some((place) => allowsPackage(place, specifier));
    }
    return allowed ? [] : [{ line, message: `${layer.at} may not import ${specifier}` }];
  });
}

/**
 * @param {string} file
 * @param {string} text
 * @returns {Problem[]}
 */
function checkSize(file, text) {
  const lines = text.replace(/\n$/, "").split("\n");
  /** @type {Problem[]} */
  const problems = [];
  // The list of shared numbers has one noun, however long it gets.
  if (lines.length > MAX_LINES && file !== ABI) {
    problems.push({
      line: MAX_LINES + 1,
      message: `${lines.length} lines: split it, ${MAX_LINES} is the limit`,
    });
  }
  for (const [index, line] of lines.entries()) {
    if (line.length <= MAX_COLUMNS || /https?:\/\//.test(line)) continue;
    problems.push({ line: index + 1, message: `${line.length} columns: ${MAX_COLUMNS} is the limit` });
  }
  return problems;
}

/**
 * @param {string} file
 * @param {string} text
 * @returns {Problem[]}
 */
function checkBanned(file, text) {
  if (mayNameBanned.includes(file)) return [];
  const rules = banned.filter(
    (rule) =>
      rule.in.some((place) => isIn(file, place)) && (rule.except === undefined || !isIn(file, rule.except)),
  );
  return text.split("\n").flatMap((line, index) =>
    rules.flatMap(({ pattern, message }) => {
      const found = pattern.exec(line)?.[0];
      return found === undefined ? [] : [{ line: index + 1, message: `${found}: ${message}` }];
    }),
  );
}

/**
 * @param {string} file
 * @param {string} text
 * @param {Set<string>} abiNames
 * @returns {Problem[]}
 */
function checkDefinedOnce(file, text, abiNames) {
  if (file === ABI) return [];
  return text.split("\n").flatMap((line, index) => {
    const name = /^\s*(?:export )?(?:declare )?(?:const|let|var|enum) (\w+)/.exec(line)?.[1];
    if (name === undefined || !abiNames.has(name)) return [];
    return [{ line: index + 1, message: `${name} is defined in ${ABI}: import it` }];
  });
}

/**
 * The names that assembly/abi.ts defines.
 *
 * @param {string} text
 */
export function abiNamesOf(text) {
  return new Set(Array.from(text.matchAll(/^export const (\w+)/gm), (match) => match[1] ?? ""));
}

/**
 * @param {string} file relative to the root, with forward slashes
 * @param {string} text
 * @param {Set<string>} abiNames
 * @returns {string[]} one `file:line: message` for each problem
 */
export function checkFile(file, text, abiNames) {
  const problems = [
    ...checkLayer(file, text),
    ...checkSize(file, text),
    ...checkBanned(file, text),
    ...checkDefinedOnce(file, text, abiNames),
  ];
  return problems.map(({ line, message }) => `${file}:${line}: ${message}`);
}

/** @returns {string[]} */
function sourceFiles() {
  return ["assembly", "src", "test", "bench", "scripts"].flatMap((dir) => {
    if (!fs.existsSync(absolute(dir))) return [];
    const names = fs.readdirSync(absolute(dir), { recursive: true, encoding: "utf8" });
    return names
      .filter((name) => /\.(ts|mts|js|mjs)$/.test(name))
      .map((name) => `${dir}/${name.replaceAll("\\", "/")}`)
      .filter((file) => !file.startsWith("src/generated/"));
  });
}

runAsMain(import.meta.url, () => {
  const abiNames = abiNamesOf(fs.readFileSync(absolute(ABI), "utf8"));
  const problems = sourceFiles().flatMap((file) =>
    checkFile(file, fs.readFileSync(absolute(file), "utf8"), abiNames),
  );
  if (problems.length === 0) return;
  process.stderr.write(`${problems.join("\n")}\n`);
  process.exitCode = 1;
});
