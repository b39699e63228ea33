/** anon_vmas and address_spaces: who keeps them, and the VMAs that they lead to. */
import { type Machine, type Mapping, type Vma, removeFrom } from "./machine.ts";

export function newMapping(m: Machine, kind: "anon_vma" | "shmem"): Mapping {
  const mapping = { id: m.mappingIds.take(), kind, refs: 0, vmas: [], cache: new Map() };
  m.mappings.set(mapping.id, mapping);
  return mapping;
}

export function putMapping(m: Machine, mapping: Mapping): void {
  mapping.refs -= 1;
  if (mapping.refs > 0) return;
  m.mappings.delete(mapping.id);
  m.mappingIds.giveBack(mapping.id);
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
