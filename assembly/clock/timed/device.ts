/**
 * Swap devices: what reclaim and faults submit becomes requests, a run of pages of one step each, of which a
 * device works on so many at one time. A request ends after its latency, and not before the bus has carried
 * its pages and those of the requests before it. A synchronous device has no queue: the CPU does its I/O.
 */
import {
  DEVICE_SIZE,
  EVENT_REQUEST,
  METRIC_READ_REQUESTS,
  METRIC_WRITE_REQUESTS,
  PG_LOCKED,
  PG_UPTODATE,
  PG_WRITEBACK,
  TABLE_DEVICES,
} from "../../abi";
import { tablePtr } from "../../arena";
import { endRead } from "../../kernel/swap_io";
import { endPageWriteback } from "../../kernel/writeback";
import { Bio, bioAt, freeBio } from "../../state/bio";
import { machine } from "../../state/machine";
import { pageAt } from "../../state/page";
import { areaOfSlot, swapAreaAt } from "../../state/swap";
import { draw } from "./draw";
import { addTo } from "./metrics";
import { eventOf, schedule } from "./queue";
import { timed } from "./timed_state";

@unmanaged
export class Device {
  stream: u64; // random numbers
  busFreeNs: u64; // when the bus has carried all that is under way
  depth: i32; // requests at one time; 0: it is synchronous
  active: i32;
  first: i32; // of the requests that wait: a bio
  last: i32;
  read: i32; // distributions of latencies
  write: i32;
  pageNs: u32; // for the bus to carry a page
}

if (offsetof<Device>() > <usize>DEVICE_SIZE) ERROR("size of a device record");

/** The device of a swap area. */
export function deviceAt(area: i32): Device {
  return changetype<Device>(tablePtr(TABLE_DEVICES) + <usize>area * DEVICE_SIZE);
}

function latency(device: Device, bio: Bio): u64 {
  const distribution = bio.write != 0 ? device.write : device.read;
  return draw(changetype<usize>(device) + offsetof<Device>("stream"), distribution);
}

function start(device: Device, request: i32): void {
  const now = machine().nowNs;
  const bio = bioAt(request);
  device.active += 1;
  device.busFreeNs = max<u64>(device.busFreeNs, now) + <u64>bio.nr * <u64>device.pageNs;
  const endNs = max<u64>(now + latency(device, bio), device.busFreeNs);
  schedule(endNs, eventOf(EVENT_REQUEST, request));
}

function submit(device: Device, request: i32): void {
  addTo(bioAt(request).write != 0 ? METRIC_WRITE_REQUESTS : METRIC_READ_REQUESTS, 1);
  if (device.active < device.depth) {
    start(device, request);
  } else if (device.first == 0) {
    device.first = request;
    device.last = request;
  } else {
    bioAt(device.last).nextRequest = request;
    device.last = request;
  }
}

/** True if a bio continues the run of pages that ends with the one before it. */
function continues(before: Bio, bio: Bio, area: i32): bool {
  return bio.write == before.write && areaOfSlot(bio.slot) == area;
}

/** The time that the CPU spends on a page of a synchronous device. */
function spendOn(device: Device, id: i32): void {
  const bio = bioAt(id);
  timed().syncNs += <u32>latency(device, bio) + device.pageNs;
  freeBio(id);
}

/** Makes requests of all that the present step has submitted. */
export function submitRequests(): void {
  const m = machine();
  let id = m.firstSubmitted;
  m.firstSubmitted = 0;
  m.lastSubmitted = 0;
  while (id != 0) {
    const head = bioAt(id);
    const area = areaOfSlot(head.slot);
    const device = deviceAt(area);
    let next = head.next;
    if (swapAreaAt(area).synchronous != 0) {
      spendOn(device, id);
      id = next;
      continue;
    }
    let last = head;
    head.nr = 1;
    while (next != 0 && continues(last, bioAt(next), area)) {
      head.nr += 1;
      last = bioAt(next);
      next = last.next;
    }
    last.next = 0;
    submit(device, id);
    id = next;
  }
}

function endPage(bio: Bio): void {
  const page = pageAt(bio.pfn);
  if (bio.write != 0) {
    if ((page.flags & PG_WRITEBACK) != 0) endPageWriteback(bio.pfn, page);
  } else {
    assert((page.flags & (PG_LOCKED | PG_UPTODATE)) == PG_LOCKED, "endPage: the page is not being read");
    endRead(page);
  }
}

/** The end of a request: its pages are there, or written, and the device takes the next one. */
export function endRequest(request: i32): void {
  const device = deviceAt(areaOfSlot(bioAt(request).slot));
  for (let id = request; id != 0;) {
    const bio = bioAt(id);
    const next = bio.next;
    endPage(bio);
    freeBio(id);
    id = next;
  }
  device.active -= 1;
  const waiting = device.first;
  if (waiting == 0) return;
  device.first = bioAt(waiting).nextRequest;
  bioAt(waiting).nextRequest = 0;
  start(device, waiting);
}
