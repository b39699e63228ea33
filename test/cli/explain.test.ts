import { describe, expect, it } from "vitest";
import * as names from "../../src/core/names.ts";
import { pinshift } from "./pinshift.ts";

interface Topic {
  readonly name: string;
  readonly kind: string;
  readonly summary: string;
  readonly what: string;
  readonly source: string;
  readonly shows: string;
}

describe("explain", () => {
  it("knows every policy, repair, invariant, errno, kernel profile and kind of crash", () => {
    const { topics }: { topics: Topic[] } = JSON.parse(pinshift("explain", "--format", "json").stdout);
    const known = topics.map(({ kind, name }) => `${kind}: ${name}`);
    const tables = {
      policy: names.policies,
      repair: names.repairs,
      invariant: names.invariants,
      "crash kind": names.crashKinds,
      "kernel profile": names.kernels,
    };
    const wanted = Object.entries(tables).flatMap(([kind, table]) =>
      Object.keys(table).map((name) => `${kind}: ${name}`),
    );
    expect(known).toEqual(expect.arrayContaining(wanted));
    for (const errno of ["EAGAIN", "EBUSY", "EINTR", "ENOMEM"]) expect(known).toContain(`errno: ${errno}`);
    for (const topic of topics) {
      for (const text of [topic.summary, topic.what, topic.source, topic.shows]) expect(text).not.toBe("");
    }
  });

  it.each([
    ["rfc", "mutex_lock ← try_to_unmap_file"],
    ["L4", "INV-CTX"],
    ["inv-lock", "INV-LOCK (invariant)"],
    ["EAGAIN", "120 s"],
    ["-EAGAIN", "EAGAIN (errno)"],
    ["v6.1", "6.1.192"],
    ["lockup", "_raw_spin_lock_irq"],
    ["situation", "32,768 frames"],
  ])("%s says what it is, where it comes from and how it shows", (name, words) => {
    const { code, stdout, stderr } = pinshift("explain", name);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(words);
    for (const head of ["What it is", "Where it comes from", "How it shows in Pinshift"]) {
      expect(stdout).toContain(`\n${head}\n`);
    }
    expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });

  it("gives one topic as JSON", () => {
    const topic: Topic & { command: string } = JSON.parse(
      pinshift("explain", "pin", "--format", "json").stdout,
    );
    expect(topic).toMatchObject({ command: "explain", name: "pin", kind: "policy" });
  });
});

describe("policies", () => {
  it("lists every policy with where it was, and every repair", () => {
    const { code, stdout } = pinshift("policies");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pin .*Linux up to v3\.12$/m);
    expect(stdout).toMatch(/^rfc .*posted 30 September 2013, never merged$/m);
    expect(stdout).toMatch(/^drop-get .*Linux since v3\.13 \(f2e106692d51\)$/m);
    expect(stdout).toMatch(/^longterm .*io_uring and VFIO/m);
    for (const repair of ["L1", "L2", "L3", "L4", "L5"])
      expect(stdout).toMatch(new RegExp(`^${repair} `, "m"));
  });

  it("gives names that --policy takes", () => {
    const { policies }: { policies: { name: string }[] } = JSON.parse(
      pinshift("policies", "--format", "json").stdout,
    );
    const list = policies.map(({ name }) => name).join(",");
    expect(pinshift("run", "situation", "--policy", list, "--format", "csv")).toMatchObject({
      code: 0,
      stderr: "",
    });
  });

  it("gives a row per policy and repair as CSV", () => {
    const lines = pinshift("policies", "--format", "csv").stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.split(",").slice(0, 2).join(" "))).toEqual([
      "kind name",
      "policy pin",
      "policy rfc",
      "policy drop-get",
      "policy longterm",
      "repair L1",
      "repair L2",
      "repair L3",
      "repair L4",
      "repair L5",
    ]);
  });
});
