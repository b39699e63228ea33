/** Objects that are counted but are no pages: anon_vmas and address_spaces with their chains, processes. */
import {
  CFG_MAPPINGS,
  CFG_PROCESSES,
  CFG_VCPUS,
  CFG_VMAS,
  INV_LIST,
  INV_LIVE,
  INV_REF,
  INV_UAF,
  MAPPING_FIRST_VMA,
  MAPPING_REFCOUNT,
  MAPPING_SIZE,
  MAX_SWAP_AREAS,
  PROCESS_MM_COUNT,
  VCPU_FIRST_DONE,
  VMA_NEXT_IN_OBJECT,
  VMA_OBJECT,
} from "../abi";
import { config } from "../arena";
import { machine } from "../state/machine";
import { AS_FILE, Mapping, mappingAt, objectOf } from "../state/mapping";
import { maxMigrations, migrationAt } from "../state/migration";
import { Mm, mmAt } from "../state/mm";
import { swapAreaAt } from "../state/swap";
import { Vcpu, vcpuAt } from "../state/vcpu";
import { Vma, vmaAt } from "../state/vma";
import { addRefs, addUser, recountWindows, tallyOf } from "./tally";
import { countKsmRefs } from "./verify_ksm";
import { objectKind } from "./verify_pages";
import { bad, expectEqual, violation } from "./violation";

if (offsetof<Mapping>() != MAPPING_SIZE) ERROR("size of a mapping record");
if (offsetof<Mapping>("firstVma") != MAPPING_FIRST_VMA) ERROR("Mapping record");
if (offsetof<Mapping>("refcount") != MAPPING_REFCOUNT) ERROR("Mapping record");
if (offsetof<Vma>("object") != VMA_OBJECT) ERROR("Vma record");
if (offsetof<Vma>("nextInObject") != VMA_NEXT_IN_OBJECT) ERROR("Vma record");
if (offsetof<Mm>("mmCount") != PROCESS_MM_COUNT) ERROR("Mm record");
if (offsetof<Vcpu>("firstDone") != VCPU_FIRST_DONE) ERROR("Vcpu record");

function countVmasOfObjects(): void {
  for (let mm = machine().firstMm; mm != 0; mm = mmAt(mm).nextMm) {
    for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
      const object = vmaAt(id).object;
      if (object == 0) continue;
      if (objectKind(object) == 0) bad(INV_UAF, 0, object, 1, 0);
      addUser(object, 1);
    }
  }
}

/** VMAs in the chain of an object, -1 if it leads to one of another object or in a circle. */
function chainLength(object: i32): i32 {
  let nr = 0;
  for (let id = mappingAt(object).firstVma; id != 0; id = vmaAt(id).nextInObject) {
    if (<u32>id > <u32>config(CFG_VMAS) || vmaAt(id).object != object || nr == config(CFG_VMAS)) return -1;
    nr += 1;
  }
  return nr;
}

/**
 * The chain of an object has each of its VMAs once. They hold a reference each, so do migrations, files and
 * rmap items, and a page its node; the RFC's apf_mapping is never freed.
 */
function recountMappings(start: i32, end: i32): void {
  countVmasOfObjects();
  for (let id = 1; id <= maxMigrations(); id++) addRefs(migrationAt(id).anonVma, 1);
  for (let id = 1; id <= MAX_SWAP_AREAS; id++) addRefs(swapAreaAt(id).mapping, 1);
  countKsmRefs();
  if (machine().substituteWord >= 0) addRefs(objectOf(machine().substituteWord), 1);
  for (let id = max<i32>(start, 1); id < end && violation() == 0; id++) {
    if ((mappingAt(id).flags & AS_FILE) != 0) addRefs(id, 1);
    const tally = tallyOf(id);
    expectEqual(INV_LIST, 0, id, tally.users, chainLength(id));
    expectEqual(INV_REF, 0, id, tally.refs, mappingAt(id).refcount);
  }
}

export function verifyMappings(): void {
  recountWindows(config(CFG_MAPPINGS) + 1, recountMappings);
}

/** Work of async_pf that holds a reference of the VM holds one of its process. */
function recountProcesses(start: i32, end: i32): void {
  for (let id = 0; id < config(CFG_VCPUS); id++) {
    const vcpu = vcpuAt(id);
    if (vcpu.mm != 0) addUser(vcpu.mm, vcpu.kvmRefs);
  }
  for (let id = start; id < end; id++) {
    const mm = mmAt(id);
    expectEqual(INV_REF, 0, id, tallyOf(id).refs, mm.mmCount);
    expectEqual(INV_LIST, 0, id, tallyOf(id).users, mm.nrVcpus);
  }
}

/**
 * Every process counts its vCPUs and their work, and every work item is in the queue of one of them or about
 * to be ended by one.
 */
export function verifyProcesses(): void {
  recountWindows(config(CFG_PROCESSES) + 1, recountProcesses);
  let queued = 0;
  for (let id = 0; id < config(CFG_VCPUS); id++) {
    queued += vcpuAt(id).queued;
    if (vcpuAt(id).completing != 0) queued += 1;
  }
  expectEqual(INV_LIVE, 0, 0, queued, machine().nrApfs);
}
