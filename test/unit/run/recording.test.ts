import { describe, expect, it } from "vitest";
import { SimError } from "../../../src/errors.ts";
import { parseRecording, replay } from "../../../src/run/validate.ts";
import { host, mapStep, moveStep, pinStep, recordingOf } from "./recordings.ts";

/** What reading, and if that works replaying, a recording throws. */
async function errorOf(text: string): Promise<SimError> {
  try {
    await replay(parseRecording(text, "case.json"));
  } catch (error) {
    if (error instanceof SimError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

async function messageOf(text: string): Promise<string> {
  const error = await errorOf(text);
  expect(error.code).toBe("ERR_RECORDING");
  return error.message;
}

const map = mapStep(4);

describe("text that is not JSON", () => {
  it.each([
    ["a comma too many", '{\n "name": "x",\n}', "case.json:3:1: "],
    ["a bracket that is not closed", '{"steps": [1, 2', "case.json:1:16: the end of the file"],
    ["a word without quotes", '{\n "kernel": six\n}', "case.json:2:12: "],
    ["a missing colon", '{"name" "x"}', 'case.json:1:9: "\\"x\\"}"'],
    ["a bracket of the other kind", '{"a": [1}', "case.json:1:9: "],
    ["more than one value", "{} {}", "case.json:1:4: "],
    ["nothing", "", "case.json:1:1: the end of the file"],
    ["a string over two lines", '{"a": "b\nc"}', "case.json:1:7: "],
  ])("%s is reported with its line and column", async (_, text, place) => {
    expect(await messageOf(text)).toContain(place);
  });
});

describe("a recording that cannot be replayed as it stands", () => {
  it.each<[string, string, string]>([
    [
      "an unknown operation",
      recordingOf([map, { op: "teleport" }]),
      'steps[1].op: "teleport" is not one of map,',
    ],
    ["a step without operation", recordingOf([map, {}]), "steps[1].op: nothing is not one of map,"],
    [
      "a kernel without a profile",
      recordingOf([map], { kernel: "5.10.0" }),
      'kernel: "5.10.0" is not a kernel with a profile: 3.11.0, 6.1.*, 6.12.*',
    ],
    ["no kernel", recordingOf([map], { kernel: 6 }), "kernel: 6 is not a string"],
    ["needs that are no list", recordingOf([map], { needs: "thp" }), 'needs: "thp" is not a list'],
    ["steps that are no list", recordingOf([]).replace('"steps":[]', '"steps":7'), "steps: 7 is not a list"],
    [
      "no nodes",
      recordingOf([map], { host: { ...host, nodes: [] } }),
      "host.nodes: [] is not a list of at least one",
    ],
    [
      "huge pages as base pages",
      recordingOf([map], { host: { ...host, pageSize: 16384 } }),
      "host.pageSize: 16384 is not an integer from 4096 to 4096",
    ],
    [
      "nodes that overlap",
      recordingOf([map], {
        host: {
          ...host,
          nodes: [
            { id: 0, pages: 512 },
            { id: 1, firstPfn: 100, pages: 512 },
          ],
        },
      }),
      "host.nodes[1].firstPfn: 100 is not an integer from 512",
    ],
    [
      "an unknown kind of page",
      recordingOf([mapStep(4, { kind: "pmem" })]),
      'steps[0].kind: "pmem" is not one of anon',
    ],
    ["half a page", recordingOf([mapStep(1.5)]), "steps[0].pages: 1.5 is not an integer from 1"],
    [
      "an unknown flag",
      recordingOf([map, moveStep(1, {}, { flags: "COPY" })]),
      'steps[1].flags: "COPY" is not one of',
    ],
    [
      "entries by name",
      recordingOf([map, moveStep(1, {}, { entries: "some" })]),
      'steps[1].entries: "some" is not a list',
    ],
    [
      "an entry below −1",
      recordingOf([map, moveStep(1, {}, { entries: [0, -2] })]),
      "steps[1].entries[1]: -2 is not",
    ],
    [
      "an unknown way to pin",
      recordingOf([map, { op: "pin", region: "a", pages: [0], how: "glue", id: "p" }]),
      'steps[1].how: "glue" is not one of vmsplice, splice, io_uring, odirect',
    ],
    [
      "an unknown protection",
      recordingOf([map, { op: "protect", region: "a", prot: "rwx" }]),
      'steps[1].prot: "rwx" is not one of none, read, read-write',
    ],
    [
      "an unknown touch by children",
      recordingOf([map, { op: "fork", children: 1, childTouch: "twice" }]),
      'steps[1].childTouch: "twice" is not one of none, read, write',
    ],
    [
      "a page that is mapped twice behind the end",
      recordingOf([mapStep(4, { mappedTwice: [4] })]),
      "steps[0].mappedTwice[0]: 4 is not an integer from 0 to 3",
    ],
    [
      "a release without a time",
      recordingOf([map, { op: "offline", block: 0, release: { pin: "p" } }]),
      "steps[1].release.atMs: nothing is not a number",
    ],
    [
      "counts that are no numbers",
      recordingOf([map, moveStep(1, { vmstat: { pgmigrate_success: "4" } })]),
      'steps[1].observed.vmstat.pgmigrate_success: "4" is not a number',
    ],
    [
      "a status that is no number",
      recordingOf([map, moveStep(1, { status: [1, "EFAULT"] })]),
      'steps[1].observed.status[1]: "EFAULT" is not an integer',
    ],
    [
      "a list for a value",
      recordingOf([map, moveStep(1, { ret: [0] })]),
      "steps[1].observed.ret: [0] is not a single",
    ],
    [
      "a relation that is code",
      recordingOf([map, moveStep(1, { ret: 0, relations: ["process.exit()"] })]),
      'steps[1].observed.relations[0]: "process.exit()" is not a comparison',
    ],
  ])("%s is an error that names place, value and what is allowed", async (_, text, message) => {
    expect(await messageOf(text)).toContain(`case.json: ${message}`);
  });

  it.each<[string, string, string]>([
    [
      "a region that was never mapped",
      recordingOf([map, moveStep(1, {}, { region: "b" })]),
      '"b" of parent is not one of parent a',
    ],
    ["a pin that was never taken", recordingOf([map, { op: "unpin", id: "q" }]), '"q" is not one of no pins'],
    [
      "writeback of memory that is no file",
      recordingOf([map, { op: "writeback", region: "a", durationMs: 5 }]),
      '"a" is of no file',
    ],
    [
      "a page behind the end of its region",
      recordingOf([map, moveStep(1, {}, { entries: [4] })]),
      "4 is not an integer from 0 to 3",
    ],
    [
      "a block behind the end of memory",
      recordingOf([map, { op: "online", block: 9 }]),
      "9 is not an integer from 0 to 0",
    ],
  ])("%s is an error that names the step", async (_, text, message) => {
    const found = await messageOf(text);
    expect(found).toMatch(/^case\.json: steps\[1\] \(\w+\): /);
    expect(found).toContain(message);
  });
});

describe("a case that is not modelled", () => {
  it.each<[string, string, string]>([
    ["a need that nobody knows", recordingOf([map], { needs: ["teleport"] }), "needs teleport"],
    [
      "a need of another page kind",
      recordingOf([{ op: "compact" }], { needs: ["offline", "thp"] }),
      "needs thp",
    ],
    [
      "a case that goes on from another",
      recordingOf([map], { continues: "kvm-move" }),
      "starts where kvm-move ends",
    ],
    ["an operation", recordingOf([map, { op: "compact" }]), "steps[1]: the operation compact"],
    [
      "a kind of page",
      recordingOf([mapStep(4, { kind: "hugetlb" })]),
      "steps[0]: hugetlb pages are not modelled",
    ],
    [
      "a rule that selects pages",
      recordingOf([map, { op: "discard", region: "a", pages: { count: 2, select: "random" } }]),
      "steps[1]: a selection by a rule",
    ],
    [
      "a mover that is no process",
      recordingOf([map, { op: "fork", children: 1, mover: "kernel" }]),
      "steps[1]: the mover kernel",
    ],
    [
      "fork with a hole in a region",
      recordingOf([map, { op: "unmap", region: "a", pages: [2] }, { op: "fork", children: 1 }]),
      "fork with a region that is mapped in parts",
    ],
    [
      "anonymous memory that is mapped twice",
      recordingOf([mapStep(4, { mappedTwice: [1] })]),
      "memory of no file that is mapped twice",
    ],
    [
      "a root file system that is no tmpfs",
      recordingOf([mapStep(4, { kind: "file-rootfs" })], { kernel: "3.11.0" }),
      "the root file system before 3.13, a ramfs",
    ],
    [
      "a splice of a page that nobody maps",
      recordingOf([mapStep(4, { kind: "tmpfs", touch: "none" }), pinStep("p", [0], { how: "splice" })]),
      "a spliced page that is not mapped",
    ],
    [
      "a buffer that a device's file backs",
      recordingOf([mapStep(4, { kind: "file-blockdev" }), pinStep("p", [0], { how: "io_uring" })]),
      "a registered buffer in a file that is not in memory",
    ],
    ["nothing to compare", recordingOf([map]), "nothing was recorded that is compared"],
  ])("%s is counted, with the reason, and never agrees", async (_, text, reason) => {
    const result = await replay(parseRecording(text, "case.json"));
    expect(result).toMatchObject({ result: "not-modelled", reason, checked: 0 });
  });

  it("is not read any further, so that parameters nobody knows do no harm", () => {
    const steps = [{ op: "map", kind: "guest-memory", colour: "blue" }];
    expect(parseRecording(recordingOf(steps, { needs: ["kvm"] }), "case.json").notModelled).toBe("needs kvm");
  });
});

describe("the profile", () => {
  it.each([
    ["3.11.0", "v3.12"],
    ["6.1.192", "v6.1"],
    ["6.1.4", "v6.1"],
    ["6.12.117", "v6.12"],
  ])("of %s is %s", (kernel, profile) => {
    expect(parseRecording(recordingOf([map], { kernel }), "case.json").profile).toBe(profile);
  });
});

/** Where twelve pages are after a move, some of them pinned. */
async function afterMove(pages: unknown): Promise<unknown> {
  const pin = { op: "pin", region: "a", pages, how: "vmsplice", id: "p" };
  const text = recordingOf([mapStep(12), pin, moveStep(1, { whereAfter: {} })]);
  const { disagreements } = await replay(parseRecording(text, "case.json"));
  return Object.fromEntries(disagreements.map(({ what, simulated }) => [what, simulated]));
}

describe("pages of a step", () => {
  it.each<[string, unknown, number]>([
    ["a list", [3, 5], 2],
    ["all of them", "all", 12],
    ["so many from one on", { from: 9, count: 3 }, 3],
    ["every so many", { every: 5, count: 3 }, 3],
    ["every so many from one on", { from: 1, every: 5, count: 2 }, 2],
  ])("are %s", async (_, pages, pinned) => {
    const stayed = pinned === 12 ? {} : { "whereAfter.node1": 12 - pinned };
    expect(await afterMove(pages)).toEqual({ ...stayed, "whereAfter.node0": pinned });
  });
});
