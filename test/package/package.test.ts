import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Host } from "../../src/index.ts";
import { Consumer } from "./consumer.ts";

const hostOptions: Parameters<typeof Host.create>[0] = {
  kernel: "v3.12",
  nodes: [{ zones: [{ kind: "normal", pages: 4096 }] }],
};
const createHost = `await Host.create(${JSON.stringify(hostOptions)})`;
const printHash = `
import { Host } from "pinshift";
const host = ${createHost};
console.info(host.stateHash());
`;

let consumer: Consumer;
let hashInTree: string;

beforeAll(async () => {
  consumer = new Consumer();
  const host = await Host.create(hostOptions);
  hashInTree = host.stateHash();
});

afterAll(() => consumer.remove());

describe("the packed package", () => {
  it("contains what runs and no sources, tests or debug core", () => {
    const installed = path.join(consumer.dir, "node_modules/pinshift");
    const files = fs.readdirSync(installed, { recursive: true, encoding: "utf8" });
    expect(files).toEqual(expect.arrayContaining(["package.json", "LICENSE"]));
    const unexpected = files.filter((file) =>
      /debug|\.stamp|\.map$|(?<!\.d)\.ts$|^(src|test|scripts)\b/.test(file),
    );
    expect(unexpected).toEqual([]);
  });

  it("runs in Node and answers as the sources do", () => {
    consumer.write("main.js", printHash);
    expect(consumer.node("main.js").trim()).toBe(hashInTree);
    expect(hashInTree).toMatch(/^[0-9a-f]+$/);
  });

  it("explores a model of the user's own", () => {
    consumer.write(
      "explore.js",
      `import { explore, loadModel } from "pinshift/explore";
      const text = "name: mine\\ntitle: Mine\\npages: [swapped]\\nactors: [{ vcpu: { access: [write 0] } }]";
      const variant = { kernel: "v3.12", policy: "rfc", repairs: [] };
      const report = await explore({ variant, models: [loadModel(text, "mine.yaml")] }, "1");
      console.info(report.complete, report.findings.some(({ invariant }) => invariant === "INV-TAG"));`,
    );
    expect(consumer.node("explore.js").trim()).toBe("true true");
  });

  it("offers core.wasm to those who want to load it themselves", () => {
    consumer.write(
      "wasm.js",
      `import { readFileSync } from "node:fs";
      const module = new WebAssembly.Module(readFileSync(new URL(import.meta.resolve("pinshift/core.wasm"))));
      console.info(WebAssembly.Module.exports(module).some(({ name }) => name === "memory"));`,
    );
    expect(consumer.node("wasm.js").trim()).toBe("true");
  });

  it("compares policies in a scenario of the user's own", () => {
    consumer.write(
      "run.js",
      `import { compareScenario, loadScenario, parseVariant } from "pinshift/run";
      const text = "name: mine\\ntitle: Mine?\\nduration: 10ms\\nguests: [{ memory: 4MiB }]\\n";
      const scenario = loadScenario(text, "mine.yaml");
      const variants = ["pin", "drop-get"].map((name) => parseVariant("mine", name));
      const report = await compareScenario({ scenario, variants, seeds: [1, 2], version: "1" });
      console.info(report.runs.length, report.policies[1].measures.endNs.estimate.mean);`,
    );
    expect(consumer.node("run.js").trim()).toBe("4 10000000");
  });

  it("puts the command on the path", () => {
    const command = path.join(consumer.dir, "node_modules/.bin/pinshift");
    expect(fs.statSync(command).mode & 0o111).not.toBe(0);
    expect(consumer.node(command, "--help")).toContain("pinshift");
  });

  it("is bundled by Vite, wasm included, and the bundle runs", () => {
    consumer.write("index.html", '<!doctype html><script type="module" src="/main.js"></script>');
    consumer.write("main.js", printHash);
    // The preload helper needs a document, which Node has not; nothing here is for the package.
    consumer.write("vite.config.js", "export default { build: { modulePreload: { polyfill: false } } };");
    consumer.tool("vite/bin/vite.js", "build", "--outDir", "out", "--logLevel", "error");
    const assets = fs.readdirSync(path.join(consumer.dir, "out/assets"));
    expect(assets).toEqual([expect.stringMatching(/\.js$/)]);
    expect(consumer.node(`out/assets/${assets[0]}`).trim()).toBe(hashInTree);
  });

  it.each([
    ["nodenext", "nodenext"],
    ["bundler", "esnext"],
  ])("has types under moduleResolution %s", (moduleResolution, module) => {
    consumer.write(
      "types.ts",
      `import { Host } from "pinshift";
      const host: Host = ${createHost};
      export const hash: string = host.stateHash();
      // @ts-expect-error: the types are real ones, not any.
      export const wrong: number = host.stateHash();`,
    );
    const options = ["--module", module, "--moduleResolution", moduleResolution, "--target", "es2022"];
    const strict = ["--strict", "--noEmit", "--skipLibCheck", "false"];
    expect(consumer.tool("typescript/bin/tsc", ...options, ...strict, "types.ts")).toBe("");
  });

  it("pleases publint", () => {
    expect(consumer.tool("publint/src/cli.js", "--strict", "node_modules/pinshift")).toContain("All good");
  });

  it("pleases attw", () => {
    // core.wasm is an asset: nobody imports types from it.
    // By default the layout depends on how many entry points there are.
    const options = ["--profile", "esm-only", "--exclude-entrypoints", "core.wasm", "--format", "table"];
    const report = consumer.tool("@arethetypeswrong/cli/dist/index.js", consumer.tarball, ...options);
    expect(report).toMatch(/node16 \(from ESM\).*🟢 \(ESM\)/);
  });
});
