import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { pinshift, pinshiftAfter, root } from "./pinshift.ts";

const BLOCK_PAGES = 32_768;
const OFFLINE_LIMIT_NS = 120e9; // __offline_pages() of v3.12: 120 * HZ
const PASSES = 10; // migrate_pages(): attempts per page and call

interface Holder {
  readonly kind: string;
  readonly vcpu: number | null;
  readonly count: number;
}

interface Result {
  readonly policy: string;
  readonly repairs: readonly string[];
  readonly offlined: boolean;
  readonly errno: string | null;
  readonly endless: boolean;
  readonly durationNs: number | null;
  readonly faults: number;
  readonly pins: number;
  readonly pagesBefore: number;
  readonly pagesMoved: number;
  readonly pagesLeft: number;
  readonly attempts: number;
  readonly unmapCycles: number;
  readonly rounds: number;
  readonly holders: readonly Holder[];
  readonly crash: {
    readonly kind: string;
    readonly trace: readonly string[];
    readonly invariant: string;
  } | null;
  readonly leaks: { readonly contexts: number; readonly pins: number; readonly lostFaults: number } | null;
  readonly violation: { readonly invariant: string } | null;
  readonly badRss: unknown;
  readonly retry: { readonly offlined: boolean } | null;
  readonly verdict: string;
  readonly stateHash: string;
}

interface Report {
  readonly command: string;
  readonly scenario: string;
  readonly version: string;
  readonly kernel: string;
  readonly seed: number;
  readonly results: readonly Result[];
}

function runJson(...args: string[]): Report {
  const { code, stdout, stderr } = pinshift("run", "situation", "--format", "json", ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const report: Report = JSON.parse(stdout);
  return report;
}

function named(report: Report, name: string): Result {
  const found = report.results.find(({ policy, repairs }) => [policy, ...repairs].join("+") === name);
  if (found === undefined) throw new Error(`no result of ${name}`);
  return found;
}

describe("run situation: v3.12, as recorded with the RFC on a kernel of its era", () => {
  let report: Report;

  beforeAll(() => {
    report = runJson();
  });

  it("names command, scenario, version, kernel and seed, and runs eight variants", () => {
    const manifest: { version: string } = JSON.parse(
      fs.readFileSync(path.join(root, "package.json"), "utf8"),
    );
    const { command, scenario, version, kernel, seed, results } = report;
    expect({ command, scenario, version, kernel, seed }).toEqual({
      command: "run",
      scenario: "situation",
      version: manifest.version,
      kernel: "v3.12",
      seed: 1,
    });
    expect(results.map(({ policy, repairs }) => [policy, ...repairs].join("+"))).toEqual([
      "pin",
      "rfc",
      "rfc+L1",
      "rfc+L1+L2",
      "rfc+L1+L2+L3",
      "rfc+L1+L2+L3+L4",
      "rfc+L1+L2+L3+L4+L5",
      "drop-get",
      "longterm",
    ]);
  });

  it("pin: EAGAIN after 120 s, ten unmap and remap cycles a round and held page, all others moved", () => {
    const pin = named(report, "pin");
    expect(pin).toMatchObject({ offlined: false, errno: "EAGAIN", crash: null, pagesLeft: pin.pins });
    expect(pin.pins).toBe(pin.faults);
    expect(pin.durationNs).toBeGreaterThan(OFFLINE_LIMIT_NS);
    expect(pin.durationNs).toBeLessThan(OFFLINE_LIMIT_NS * 1.001);
    expect(pin.pagesMoved).toBe(BLOCK_PAGES - pin.pins);
    expect(pin.unmapCycles).toBe(pin.attempts);
    expect((pin.attempts - pin.pagesMoved) % PASSES).toBe(0);
    // Each round tries every page that is left ten times; in the first rounds some lie beyond the batch.
    expect(pin.attempts - pin.pagesMoved).toBeLessThanOrEqual(PASSES * pin.pins * pin.rounds);
    expect(pin.attempts - pin.pagesMoved).toBeGreaterThan(PASSES * pin.pins * (pin.rounds - 200));
  });

  it("pin: names each vCPU with what it holds; the block goes offline after the completions", () => {
    const { holders, pins, leaks, retry, violation, badRss } = named(report, "pin");
    expect(holders.map(({ kind, vcpu }) => [kind, vcpu])).toEqual([
      ["async_pf", 0],
      ["async_pf", 1],
      ["async_pf", 2],
      ["async_pf", 3],
    ]);
    expect(holders.reduce((sum, { count }) => sum + count, 0)).toBe(pins);
    expect({ leaks, retry, violation, badRss }).toMatchObject({
      leaks: { contexts: 0, pins: 0, lostFaults: 0 },
      retry: { offlined: true },
      violation: null,
      badRss: null,
    });
  });

  it("rfc as posted: oops in mutex_lock ← try_to_unmap_file at the first held page", () => {
    const { offlined, errno, crash, leaks, pagesMoved, pagesLeft, unmapCycles } = named(report, "rfc");
    expect({ offlined, errno, leaks }).toEqual({ offlined: false, errno: null, leaks: null });
    expect(crash).toMatchObject({ kind: "oops", invariant: "INV-LOCK" });
    expect(crash?.trace.slice(0, 2)).toEqual(["mutex_lock", "try_to_unmap_file"]);
    expect(pagesMoved + pagesLeft).toBe(BLOCK_PAGES);
    expect(unmapCycles).toBe(pagesMoved);
  });

  it.each(["rfc+L1", "rfc+L1+L2", "rfc+L1+L2+L3"])(
    "%s: EAGAIN after 120 s with no PTE of a held page removed",
    (name) => {
      const result = named(report, name);
      const pin = named(report, "pin");
      expect(result).toMatchObject({ offlined: false, errno: "EAGAIN", crash: null, pagesLeft: result.pins });
      expect(result.durationNs).toBeGreaterThan(OFFLINE_LIMIT_NS);
      expect(result.attempts).toBe(pin.attempts);
      // One PTE for each page that moved, and none besides.
      expect(result.unmapCycles).toBe(result.pagesMoved);
      expect(result.retry).toMatchObject({ offlined: true });
    },
  );

  it("rfc +L1 … +L4: offline at the first attempt, and a context leaks for each pin", () => {
    const result = named(report, "rfc+L1+L2+L3+L4");
    expect(result).toMatchObject({ offlined: true, errno: null, crash: null, pagesLeft: 0 });
    expect(result.attempts).toBe(BLOCK_PAGES);
    expect(result.leaks).toMatchObject({ contexts: result.pins, pins: 0 });
    expect(result.violation).toMatchObject({ invariant: "INV-CTX" });
  });

  it.each(["rfc+L1+L2+L3+L4+L5", "drop-get"])(
    "%s: offline at the first attempt, nothing left behind",
    (name) => {
      const { offlined, pagesMoved, pagesLeft, attempts, leaks, violation, badRss } = named(report, name);
      expect({ offlined, pagesMoved, pagesLeft, attempts }).toEqual({
        offlined: true,
        pagesMoved: BLOCK_PAGES,
        pagesLeft: 0,
        attempts: BLOCK_PAGES,
      });
      expect({ leaks, violation, badRss }).toEqual({
        leaks: { contexts: 0, lostFaults: 0, pins: 0, badPages: 0 },
        violation: null,
        badRss: null,
      });
    },
  );

  it("longterm holds as many pages, none of them in the block", () => {
    const { offlined, pins, faults, pagesMoved, pagesBefore, verdict } = named(report, "longterm");
    expect({ offlined, pins, moved: pagesBefore - pagesMoved }).toEqual({
      offlined: true,
      pins: faults,
      moved: 0,
    });
    expect(pagesBefore).toBe(named(report, "drop-get").pagesBefore - faults);
    expect(verdict).toBe(`moved, ${faults} pages of it before they were pinned; nothing left behind`);
  });

  it("drop-get holds nothing although as many completions wait", () => {
    const { faults, pins } = named(report, "drop-get");
    expect({ faults, pins }).toEqual({ faults: named(report, "pin").faults, pins: 0 });
  });

  it("says in a sentence what happened", () => {
    expect(named(report, "rfc").verdict).toContain("mutex_lock ← try_to_unmap_file");
    expect(named(report, "rfc+L1").verdict).toContain("never unmapped");
    expect(named(report, "pin").verdict).toContain("maps it again");
    const { pins, verdict } = named(report, "rfc+L1+L2+L3+L4");
    expect(verdict).toContain(`${pins} contexts never freed`);
    expect(named(report, "drop-get").verdict).toContain("nothing left behind");
  });
});

describe("run situation: options", () => {
  it("runs the policies that --policy names, in that order", () => {
    const { results } = runJson("--policy", "drop-get,rfc+L2+L1,rfc");
    expect(results.map(({ policy, repairs }) => [policy, repairs])).toEqual([
      ["drop-get", []],
      ["rfc", ["L1", "L2"]],
      ["rfc", []],
    ]);
  });

  it("gives --repair to rfc, also without --policy", () => {
    expect(runJson("--repair", "L1,L2").results).toMatchObject([{ policy: "rfc", repairs: ["L1", "L2"] }]);
    expect(runJson("--policy", "pin,rfc", "--repair", "L1").results).toMatchObject([
      { policy: "pin", repairs: [] },
      { policy: "rfc", repairs: ["L1"] },
    ]);
  });

  it("adds --repair to the repairs that --policy names", () => {
    const { results } = runJson("--policy", "rfc+L1,rfc", "--repair", "L2,L1");
    expect(results).toMatchObject([
      { policy: "rfc", repairs: ["L1", "L2"] },
      { policy: "rfc", repairs: ["L1", "L2"] },
    ]);
    expect(runJson("--policy", "rfc+L3", "--repair", "L1+L2").results).toMatchObject([
      { policy: "rfc", repairs: ["L1", "L2", "L3"] },
    ]);
  });

  it("takes the progress line away when a run throws", () => {
    // A terminal for stderr, and an engine that cannot instantiate the core.
    const script = `
      Object.defineProperty(process.stderr, "isTTY", { value: true });
      WebAssembly.compile = () => Promise.reject(new Error("no core"));`;
    const { code, stderr } = pinshiftAfter(script, "run", "situation", "--policy", "pin");
    expect(code).not.toBe(0);
    const [, shown, rest] = stderr.split("\r\u001B[K");
    expect(shown).toBe("1/1 pin");
    expect(rest).toContain("no core");
  });

  it("holds other pages with another seed, and the same ones with the same", () => {
    const [one, again, other] = [1, 1, 2].map((seed) => runJson("--policy", "pin", "--seed", `${seed}`));
    expect(again).toEqual(one);
    expect(other?.results[0]?.stateHash).not.toBe(one?.results[0]?.stateHash);
  });

  it.each(["v6.1", "v6.12"])("on %s a held page keeps the call from ever returning", (kernel) => {
    const [pin, dropGet] = runJson("--kernel", kernel, "--policy", "pin,drop-get").results;
    // Recorded on 6.1.192 and 6.12.117: no retry limit, only a signal or the end of the pin.
    expect(pin).toMatchObject({ offlined: false, errno: null, endless: true, durationNs: null });
    expect(pin?.retry).toMatchObject({ offlined: true });
    expect(dropGet).toMatchObject({ offlined: true, endless: false });
  });

  it("on v6.12 costs a held page two unmaps where it is tried ten times", () => {
    const [pin] = runJson("--kernel", "v6.12", "--policy", "pin").results;
    if (pin === undefined) throw new Error("no result");
    const fruitless = pin.rounds * pin.pins;
    expect(pin.attempts - pin.pagesMoved).toBe(10 * fruitless);
    expect(pin.unmapCycles - pin.pagesMoved).toBe(2 * fruitless);
  });

  it("writes to the file of --out and nothing to stdout", () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "pinshift-out-"));
    const file = path.join(dir, "report.json");
    const toFile = pinshift("run", "situation", "--policy", "drop-get", "--format", "json", "--out", file);
    expect(toFile).toEqual({ code: 0, stdout: "", stderr: "" });
    const toStdout = pinshift("run", "situation", "--policy", "drop-get", "--format", "json");
    expect(fs.readFileSync(file, "utf8")).toBe(toStdout.stdout);
    fs.rmSync(dir, { recursive: true });
  });
});

describe("run situation: table and CSV", () => {
  it("prints one line a policy within 120 columns, without colours into a pipe", () => {
    const { stdout } = pinshift("run", "situation");
    const lines = stdout.split("\n");
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
    expect(stdout).not.toContain("\u001B");
    const rows = lines.filter((line) => /^(pin|rfc|drop-get|longterm).*\d{1,2},\d{3}/.test(line));
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 2))).toEqual([
      ["pin", "EAGAIN"],
      ["rfc as posted", "oops"],
      ["rfc +L1", "EAGAIN"],
      ["rfc +L1 +L2", "EAGAIN"],
      ["rfc +L1 … +L3", "EAGAIN"],
      ["rfc +L1 … +L4", "offline"],
      ["rfc +L1 … +L5", "offline"],
      ["drop-get (v3.13)", "offline"],
      ["longterm", "offline"],
    ]);
    expect(stdout).toContain("Yes, and nothing is left behind: rfc +L1 … +L5, drop-get (v3.13), longterm.");
  });

  it("prints a head and a row per policy as CSV", () => {
    const lines = pinshift("run", "situation", "--policy", "pin,drop-get", "--format", "csv")
      .stdout.trimEnd()
      .split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]?.split(",").slice(0, 6)).toEqual([
      "kernel",
      "seed",
      "policy",
      "offlined",
      "errno",
      "durationNs",
    ]);
    expect(lines[1]).toMatch(/^v3\.12,1,pin,false,EAGAIN,12\d{10},/);
    expect(lines[2]).toMatch(/^v3\.12,1,drop-get,true,,\d+,/);
  });

  it("ends quietly when nobody reads on", () => {
    // The reader is gone before anything is written. PIPESTATUS is the command's own exit code.
    const script =
      '"$0" dist/src/cli/main.js run situation --policy drop-get | true; exit "${PIPESTATUS[0]}"';
    const options = { cwd: root, encoding: "utf8" } as const;
    const { status, stderr } = spawnSync("bash", ["-c", script, process.execPath], options);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
