/** What a scenario's YAML may say of the host. */
import * as z from "zod";
import { MAX_NODES, MAX_PAGE_CLUSTER, MAX_SWAP_AREAS, PAGEBLOCK_PAGES, PAGE_SIZE } from "../../core/abi.ts";
import { namesIn, zoneKinds } from "../../core/names.ts";
import { fields } from "../fields.ts";
import { deviceKinds } from "../scenario.ts";
import { MAX_SHORT_NS, distribution, duration, integer, size } from "./values.ts";

export const MAX_VCPUS = 4096;
const MAX_ZONES_OF_NODE = namesIn(zoneKinds).length;
const MAX_QUEUE_DEPTH = 65_536;

const zone = fields({
  kind: z.enum(namesIn(zoneKinds)).describe("Kind of the zone."),
  size: size(PAGEBLOCK_PAGES).describe(
    "Memory of the zone: pages, or a size; a multiple of 2MiB, the pageblock.",
  ),
});

const node = fields({
  zones: z
    .array(zone)
    .min(1)
    .max(MAX_ZONES_OF_NODE)
    .describe("Zones of the node, by ascending address: dma32, normal, movable."),
});

const device = fields({
  kind: z
    .enum(deviceKinds)
    .describe("Kind of the device, which gives everything else its default: zram, nvme, ssd (SATA), hdd."),
  size: size().describe("What it holds: pages, or a size."),
  queueDepth: integer(0, MAX_QUEUE_DEPTH)
    .exactOptional()
    .describe("Requests that it works on at one time; 0: the CPU does the I/O, as for zram."),
  read: distribution().exactOptional().describe("Time of a read, its transfer not counted."),
  write: distribution().exactOptional().describe("Time of a write, its transfer not counted."),
  bytesPerSecond: integer(PAGE_SIZE, 1e12)
    .exactOptional()
    .describe("Bytes a second, of all requests together."),
});

export const hostDocument = fields({
  nodes: z
    .array(node)
    .min(1)
    .max(MAX_NODES)
    // Block 2, 128 MiB, is the movable zone, and all of it fits into the normal one.
    .prefault([
      {
        zones: [
          { kind: "normal", size: "256MiB" },
          { kind: "movable", size: "128MiB" },
        ],
      },
    ])
    .describe("NUMA nodes. Memory is laid out in this order from address 0; a memory block has 128MiB."),
  cpus: integer(1, MAX_VCPUS)
    .exactOptional()
    .describe(
      "Physical CPUs for vCPUs; otherwise as many as there are vCPUs. Kernel threads do not need them.",
    ),
  // min_granularity of CFS on 8 CPUs or more: 0.75 ms · (1 + log2 8).
  slice: duration(1000, MAX_SHORT_NS)
    .prefault("3ms")
    .describe("How long a vCPU runs while others wait for its CPU."),
  tick: duration(1000, MAX_SHORT_NS)
    .prefault("4ms")
    .describe("1/HZ of the host: a vCPU that runs guest code leaves the guest at the latest then."),
  memoryLimit: size()
    .exactOptional()
    .describe("Limit of the cgroup of all guests: pages, or a size; otherwise there is none."),
  pageCluster: integer(0, MAX_PAGE_CLUSTER)
    .prefault(3)
    .describe("vm.page-cluster: a read from swap takes 2^n slots."),
  swap: z
    .array(device)
    .max(MAX_SWAP_AREAS)
    .prefault([])
    .describe("Swap devices, in the order of their priority."),
  // WQ_DFL_ACTIVE, half of the 512 of WQ_MAX_ACTIVE (v3.12 to 6.1).
  maxActive: integer(1, MAX_QUEUE_DEPTH)
    .prefault(256)
    .describe("Work items of the system workqueue that may have begun at one time on each CPU."),
});
