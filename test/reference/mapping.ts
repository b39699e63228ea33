/** anon_vmas and address_spaces: who keeps them, and the VMAs that they lead to. */
import { type FileSystem, fileSystems } from "./file-system.ts";
import { type Machine, type Mapping, type Vma, removeFrom } from "./machine.ts";

function newMapping(m: Machine, what: Pick<Mapping, "kind" | "fs" | "size">): Mapping {
  const own = { vmas: [], cache: new Map(), stored: new Map(), swapped: new Map(), items: [] };
  const mapping = { ...what, ...own, id: m.mappingIds.take(), refs: 0 };
  m.mappings.set(mapping.id, mapping);
  return mapping;
}

export function newAnonVma(m: Machine): Mapping {
  return newMapping(m, { kind: "anon_vma", fs: null, size: 0 });
}

export function newKsmNode(m: Machine): Mapping {
  return newMapping(m, { kind: "ksm", fs: null, size: 0 });
}

/** Shared anonymous memory, which goes with its last mapping. */
export function newShmem(m: Machine, size: number): Mapping {
  return newMapping(m, { kind: "shmem", fs: fileSystems.tmpfs, size });
}

export function newFile(m: Machine, fs: FileSystem, size: number): Mapping {
  const mapping = newMapping(m, { kind: "file", fs, size });
  mapping.refs += 1;
  return mapping;
}

/** The swap cache of an area, which goes with that. */
export function newSwapCache(m: Machine): Mapping {
  const mapping = newMapping(m, { kind: "swap", fs: null, size: 0 });
  mapping.refs = 1;
  return mapping;
}

export function putMapping(m: Machine, mapping: Mapping): void {
  mapping.refs -= 1;
  if (mapping.refs > 0) return;
  m.mappings.delete(mapping.id);
  m.mappingIds.giveBack(mapping.id);
}

/** The page of a stable node is freed. */
export function forgetNode(m: Machine, node: Mapping): void {
  for (const { anonVma } of node.items) putMapping(m, anonVma);
  putMapping(m, node);
}

export function linkTo(vma: Vma, mapping: Mapping): void {
  vma.mapping = mapping;
  mapping.refs += 1;
  mapping.vmas.unshift(vma);
}

export function unlink(m: Machine, vma: Vma): void {
  if (vma.mapping === null) return;
  removeFrom(vma.mapping.vmas, vma);
  putMapping(m, vma.mapping);
}
