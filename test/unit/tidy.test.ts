import { describe, expect, it } from "vitest";
import { abiNamesOf, checkFile } from "../../scripts/tidy.mjs";

const abiNames = abiNamesOf("export const PAGE_SHIFT = 12;\nexport const PAGE_SIZE = 1 << PAGE_SHIFT;\n");

function check(file: string, text: string): string[] {
  return checkFile(file, text, abiNames);
}

describe("layers", () => {
  it.each([
    ["assembly/abi.ts", "./arena", "the constants import nothing"],
    ["assembly/state/page.ts", "../kernel/migrate", "state does not know the kernel"],
    ["assembly/kernel/migrate.ts", "../clock/timed", "transitions do not know who runs them"],
    ["assembly/kernel/policy/rfc.ts", "../../actors/worker", "nor do policies"],
    ["assembly/check/verify.ts", "../kernel/migrate", "a recount does not use what it checks"],
    ["src/core/core.ts", "../host.ts", "the boundary does not know its users"],
    ["src/core/core.ts", "../../assembly/arena.ts", "TypeScript sees the constants only"],
    ["src/host.ts", "./generated/core.js", "only src/core reaches the generated code"],
    ["src/host.ts", "node:fs", "the library runs in browsers, too"],
    ["src/run/situations.ts", "../report/table.ts", "running does not know how results are shown"],
    ["src/index.ts", "./cli/main.ts", "the package does not contain its command"],
    ["src/cli/main.ts", "zod", "packages are allowed by name"],
    ["test/reference/model.ts", "../../src/index.ts", "the slow model shares no code"],
    ["test/reference/model.ts", "fast-check", "and no packages"],
    ["scripts/setup.mjs", "commander", "set-up runs before anything is installed"],
  ])("%s may not import %s: %s", (file, specifier) => {
    const layer = /may not import/;
    expect(check(file, `import { x } from "${specifier}";\n`)).toEqual([expect.stringMatching(layer)]);
  });

  it.each([
    ["assembly/state/page.ts", "../abi"],
    ["assembly/state/page.ts", "./machine.ts"],
    ["assembly/kernel/policy/rfc.ts", "../../state/pins"],
    ["assembly/index.ts", "./check/hash"],
    ["src/core/abi.ts", "../../assembly/abi.ts"],
    ["src/core/core.ts", "../generated/core-inline.ts"],
    ["src/cli/main.ts", "node:process"],
    ["test/unit/host.test.ts", "vitest"],
    ["bench/main.ts", "tinybench"],
  ])("%s may import %s", (file, specifier) => {
    expect(check(file, `import { x } from "${specifier}";\n`)).toEqual([]);
  });

  it("every form of import counts, and is reported where the module is named", () => {
    const text = [
      'import "commander";',
      "import {",
      "  a,",
      '} from "commander";',
      'export * from "commander";',
      'const lazy = await import("commander");',
      'import type { Command } from "commander";',
    ].join("\n");
    const lines = check("src/host.ts", text).map((problem) => problem.split(":")[1]);
    expect(lines).toEqual(["1", "4", "5", "6", "7"]);
  });

  it("a file in no layer is reported", () => {
    expect(check("src/utils.ts", "")).toEqual([
      "src/utils.ts:1: is in no layer: add it to the table in scripts/tidy.mjs",
    ]);
  });
});

describe("size", () => {
  it("400 lines pass, one more does not", () => {
    expect(check("src/host.ts", "x;\n".repeat(400))).toEqual([]);
    expect(check("src/host.ts", "x;\n".repeat(401))).toEqual([
      "src/host.ts:401: 401 lines: split it, 400 is the limit",
    ]);
  });

  it("110 columns pass, one more does not, unless it holds a URL", () => {
    expect(check("src/host.ts", "x".repeat(110))).toEqual([]);
    expect(check("src/host.ts", `x\n${"x".repeat(111)}`)).toEqual([
      "src/host.ts:2: 111 columns: 110 is the limit",
    ]);
    expect(check("src/host.ts", `// https://example.org/${"x".repeat(111)}`)).toEqual([]);
  });
});

describe("banned words", () => {
  it.each([
    ["src/host.ts", "// TODO: later"],
    ["bench/main.ts", "// FIXME"],
    ["src/cli/main.ts", 'console.log("done");'],
    ["test/unit/host.test.ts", 'it.only("works", () => {});'],
    ["test/unit/host.test.ts", 'describe.only("host", () => {});'],
    ["assembly/kernel/fault.ts", "const now = Date.now();"],
    ["src/scenario/load.ts", "const seed = Math.random();"],
    ["src/host.ts", "new WebAssembly.Memory({ initial: 1 });"],
  ])("%s may not say %s", (file, line) => {
    expect(check(file, `\n${line}\n`)).toEqual([expect.stringMatching(`^${file}:2: `)]);
  });

  it("the clock may be read where runs are timed, and WebAssembly named in src/core", () => {
    expect(check("src/run/situations.ts", "const start = performance.now();")).toEqual([]);
    expect(check("src/core/core.ts", "await WebAssembly.compile(bytes);")).toEqual([]);
  });
});

describe("one definition", () => {
  it.each(["const PAGE_SIZE = 4096;", "export const PAGE_SHIFT = 12;", "  let PAGE_SIZE = 1;"])(
    "a constant of the ABI is not defined again: %s",
    (line) => {
      expect(check("test/reference/model.ts", line)).toEqual([
        expect.stringMatching(/:1: PAGE_\w+ is defined in assembly\/abi.ts: import it$/),
      ]);
    },
  );

  it("importing it, using it, and longer names are fine", () => {
    const text = 'import { PAGE_SIZE } from "../abi";\nconst PAGE_SIZES = PAGE_SIZE * 2;\n';
    expect(check("assembly/state/page.ts", text)).toEqual([]);
    expect(check("assembly/abi.ts", "export const PAGE_SIZE = 4096;")).toEqual([]);
  });
});
