/** Maps memory as a recording has it: its pages where they lay, touched as they were. */
import type { Process } from "../../host/process.ts";
import type { Range, Region } from "../../host/region.ts";
import type { Action, FileMemory, PlainMemory } from "./action.ts";
import { type Machine, NotModelled, groupsIn, rangesOf } from "./machine.ts";

type MapAction = Extract<Action, { op: "map" }>;

/** Runs of pages that lie on one node. */
function placesOf({ node, pages }: MapAction): (Required<Range> & { readonly node: number })[] {
  if (typeof node === "number") return [{ node, start: 0, count: pages }];
  return [...new Set(node)].flatMap((one) => {
    const indexes = node.flatMap((of, index) => (of === one ? [index] : []));
    return rangesOf(indexes).map((range) => ({ node: one, ...range }));
  });
}

/** Writes the pages of each group equal, and groups different from each other. */
function writeGroups(region: Region, groupsOf: number): void {
  for (const [group, [start = 0, ...others]] of groupsIn(region.pages, groupsOf).entries()) {
    region.touch("write", { start, count: others.length + 1, content: group + 1 });
  }
}

function mapPlain(process: Process, action: MapAction, memory: PlainMemory): Region {
  const { pages, node, touch, dontFork } = action;
  const region = process.map({ ...memory, pages, dontFork, ...(typeof node === "number" && { node }) });
  if (touch === "none") return region;
  for (const place of placesOf(action)) {
    if (typeof node !== "number") region.mbind({ node: place.node });
    region.touch(touch, place);
  }
  return region;
}

/** The file is written first, so its pages are in the page cache; after an fsync they are clean. */
function mapFile(machine: Machine, action: MapAction, memory: FileMemory): Region {
  const { by, pages, touch, dontFork } = action;
  const { prot } = memory;
  if (memory.onRootfs && machine.recording.profile === "v3.12") {
    throw new NotModelled("the root file system before 3.13, a ramfs");
  }
  const file = machine.files.open(by, action.region, memory.file, pages);
  for (const place of placesOf(action)) file.write(place);
  const process = machine.process(by);
  const region = process.map({ file, pages, prot, dontFork });
  if (touch !== "none") region.touch(touch);
  for (const { start: offset, count } of rangesOf(action.mappedTwice)) {
    process.map({ file, offset, pages: count, prot: "read", dontFork }).touch("read");
  }
  file.sync();
  return region;
}

export function map(machine: Machine, action: MapAction): void {
  const { memory, by } = action;
  if (!("file" in memory) && action.mappedTwice.length > 0) {
    throw new NotModelled("memory of no file that is mapped twice");
  }
  const region =
    "file" in memory ? mapFile(machine, action, memory) : mapPlain(machine.process(by), action, memory);
  const groupsOf = machine.equalPages(by, action.region);
  if (groupsOf !== null && action.touch === "write") writeGroups(region, groupsOf);
  machine.addRegion(by, action.region, region);
}
