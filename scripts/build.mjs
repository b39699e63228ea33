// node scripts/build.mjs [core|models|scenarios|ts]
// Also part of setup.mjs, where nothing is installed yet: Node's own modules only.
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { absolute, runAsMain, runNode } from "./lib.mjs";

const generated = "src/generated";
const models = "src/scenario/models";
const scenarios = "src/scenario/scenarios";

/**
 * @typedef {object} Part
 * @property {string[]} inputs files and folders that decide whether the outputs are stale
 * @property {string} dir what the build empties and fills; the hash of the inputs is kept there, too
 * @property {string[]} outputs files in it that the build must have written
 * @property {() => void} run
 */

const coreInputs = ["package-lock.json", "scripts/build.mjs", "asconfig.json", "assembly"];

/** @type {Record<string, Part>} */
const parts = {
  core: {
    inputs: coreInputs,
    dir: generated,
    outputs: ["core.wasm", "core.js", "core.d.ts", "core-inline.ts", "core.debug.wasm"],
    run: buildCore,
  },
  models: {
    inputs: ["scripts/build.mjs", models],
    dir: `${generated}/models`,
    outputs: ["texts.ts"],
    run: () => buildTexts(models, "modelTexts", `${generated}/models/texts.ts`),
  },
  scenarios: {
    inputs: ["scripts/build.mjs", scenarios],
    dir: `${generated}/scenarios`,
    outputs: ["texts.ts"],
    run: () => buildTexts(scenarios, "scenarioTexts", `${generated}/scenarios/texts.ts`),
  },
  ts: {
    inputs: [...coreInputs, "package.json", "tsconfig.json", "tsconfig.build.json", "src"],
    dir: "dist",
    outputs: [
      "src/index.js",
      "src/index.d.ts",
      "src/cli/main.js",
      `${generated}/core.wasm`,
      `${generated}/core.js`,
      `${generated}/models/texts.js`,
      `${generated}/scenarios/texts.js`,
    ],
    run: buildTs,
  },
};

function buildCore() {
  const asc = absolute("node_modules/assemblyscript/bin/asc.js");
  for (const target of ["debug", "release"]) {
    // The entry stands here and not in asconfig.json: without one, asc prints its help and exits 0.
    runNode(asc, ["assembly/index.ts", "--config", "asconfig.json", "--target", target]);
  }
  inlineHotPaths(absolute(`${generated}/core.wasm`));
  const wasm = fs.readFileSync(absolute(`${generated}/core.wasm`));
  fs.writeFileSync(absolute(`${generated}/core-inline.ts`), inlineText(wasm));
}

/**
 * The module that has a core inlined. The annotation keeps the literal out of the declaration file.
 *
 * @param {Buffer} wasm
 */
export function inlineText(wasm) {
  return `export const coreBase64: string = "${wasm.toString("base64")}";\n`;
}

/**
 * asc's inlining stops at small functions, and the engine does none across functions: one migrated page costs
 * some thirty calls. Inlining them here moves 1.4 times as many pages a second for 2.3 times the bytes.
 *
 * @param {string} wasm
 */
function inlineHotPaths(wasm) {
  const features = ["bulk-memory", "simd", "sign-ext", "nontrapping-float-to-int", "mutable-globals"];
  const inlining = ["always-inline-max=300", "flexible-inline-max=1000", "one-caller-inline-max=10000"];
  runNode(absolute("node_modules/binaryen/bin/wasm-opt"), [
    ...features.map((name) => `--enable-${name}`),
    ...inlining.map((limit) => `--${limit.replace("=", "-function-size=")}`),
    "--inline-functions-with-loops",
    "-O4",
    wasm,
    "-o",
    wasm,
  ]);
}

/**
 * What is built in as text by name: a browser has no files.
 *
 * @param {string} folder of YAML files
 * @param {string} name of what the module exports
 * @param {string} output the module
 */
function buildTexts(folder, name, output) {
  const files = filesBelow(folder).filter((file) => file.endsWith(".yaml"));
  const names = files.map((file) => path.basename(file, ".yaml")).toSorted();
  const texts = names.map((one) => [one, fs.readFileSync(absolute(`${folder}/${one}.yaml`), "utf8")]);
  const table = JSON.stringify(Object.fromEntries(texts));
  fs.writeFileSync(absolute(output), `export const ${name}: Readonly<Record<string, string>> = ${table};\n`);
}

function buildTs() {
  runNode(absolute("node_modules/typescript/bin/tsc"), ["-p", "tsconfig.build.json"]);
  for (const file of ["core.wasm", "core.js", "core.d.ts"]) {
    fs.copyFileSync(absolute(`${generated}/${file}`), absolute(`dist/${generated}/${file}`));
  }
  fs.chmodSync(absolute("dist/src/cli/main.js"), 0o755);
}

/** @param {string[]} inputs */
function hashInputs(inputs) {
  const hash = createHash("sha256");
  for (const file of inputs.flatMap(filesBelow)) {
    const content = fs.readFileSync(absolute(file));
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

/**
 * @param {string} file
 * @returns {string[]}
 */
function filesBelow(file) {
  if (file === generated) return [];
  if (!fs.statSync(absolute(file)).isDirectory()) return [file];
  const names = fs.readdirSync(absolute(file)).toSorted();
  return names.flatMap((name) => filesBelow(`${file}/${name}`));
}

/** @param {Part} part */
function missingOutputs({ dir, outputs }) {
  return outputs.map((file) => `${dir}/${file}`).filter((file) => !fs.existsSync(absolute(file)));
}

/**
 * Empties a part's folder, but for folders of other parts.
 *
 * @param {string} dir
 */
function emptyFolder(dir) {
  const others = Object.values(parts).map((part) => part.dir);
  fs.mkdirSync(absolute(dir), { recursive: true });
  for (const name of fs.readdirSync(absolute(dir))) {
    const entry = `${dir}/${name}`;
    if (!others.includes(entry)) fs.rmSync(absolute(entry), { recursive: true });
  }
}

/** @param {Part} part */
function buildPart(part, /** @type {{ force: boolean }} */ { force }) {
  const stamp = absolute(`${part.dir}/.stamp`);
  // Hashed before the build, so that a file saved while it runs makes the result stale.
  const hash = hashInputs(part.inputs);
  const fresh = fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === hash;
  if (fresh && !force && missingOutputs(part).length === 0) return;

  process.stderr.write(`building ${part.dir}\n`);
  emptyFolder(part.dir);
  part.run();
  // asc exits 0 when a key of asconfig.json or the name of a target is misspelt.
  const missing = missingOutputs(part);
  if (missing.length > 0) throw new Error(`the build did not write ${missing.join(", ")}`);
  fs.writeFileSync(stamp, hash);
}

/** Builds what is missing or stale. */
export function buildStale() {
  for (const part of Object.values(parts)) buildPart(part, { force: false });
}

runAsMain(import.meta.url, () => {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts);
  for (const name of names) {
    const part = parts[name];
    if (part === undefined)
      throw new Error(`there is no ${name} to build, only ${Object.keys(parts).join(", ")}`);
    buildPart(part, { force: true });
  }
});
