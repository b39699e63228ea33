/** The page that a finding is about, as it is after a step. */
import * as abi from "../../core/abi.ts";
import type { Core } from "../../core/core.ts";
import { flagNames } from "../../core/names.ts";
import { type ModelMachine, frameOf } from "./machine.ts";
import type { PageView } from "./result.ts";

const ownFlags = new Set(["isolated", "memcg", "memcg_migration", "buddy"]);
const tags: Readonly<Record<number, string>> = {
  0: "address_space",
  [abi.MAPPING_ANON]: "anon_vma",
  [abi.MAPPING_KSM]: "ksm",
};

function mappingText(core: Core, word: number): string {
  if (word === 0) return "NULL";
  const substitute = core.machineField(abi.MACHINE_SUBSTITUTE_WORD);
  const tagged = (word & abi.MAPPING_TAG_MASK) === abi.MAPPING_ANON;
  if (substitute >= 0 && (word & ~abi.MAPPING_TAG_MASK) === substitute) {
    return tagged ? "apf_mapping+ANON" : "apf_mapping";
  }
  const tag = tags[word & abi.MAPPING_TAG_MASK] ?? "?";
  return `${tag} ${word >>> abi.MAPPING_TAG_SHIFT}`;
}

function contextOf(word: number): number {
  return (word & abi.PRIVATE_POINTER) === 0 ? 0 : word & ~abi.PRIVATE_POINTER;
}

function privateText(word: number, flags: number): string | null {
  if ((flags & abi.PG_BUDDY) !== 0) return null;
  if (contextOf(word) !== 0) return `ctx ${contextOf(word)}`;
  return word === 0 ? null : `swap ${word}`;
}

/** The context that page->private points to, and the work item that it names. */
function contextText(core: Core, word: number): string | null {
  const ctx = contextOf(word);
  if (ctx === 0) return null;
  const words = core.words(abi.TABLE_CTXS);
  const at = (field: number): number => words[(ctx * abi.CTX_SIZE + field) >> 2] ?? 0;
  return at(0) === 0 ? `ctx ${ctx} freed` : `ctx ${ctx} → apf ${at(abi.CTX_CONTEXT)}`;
}

function pteText(pte: number): string {
  const number = pte >>> abi.PTE_SHIFT;
  if (pte === 0) return "none";
  if ((pte & abi.PTE_PRESENT) !== 0) return `pfn ${number}${(pte & abi.PTE_WRITE) === 0 ? " ro" : " rw"}`;
  return (pte & abi.PTE_MIGRATION) === 0 ? `swap ${number}` : `migration ${number}`;
}

/** The virtual page that a frame is behind now, -1 if there is none. */
export function virtualPageOf({ core, model }: ModelMachine, pfn: number): number {
  const ptes = core.words(abi.TABLE_PTES);
  return model.pages.findIndex((_, page) => frameOf(core, ptes[page] ?? 0) === pfn);
}

/** A virtual page and the frame behind it; without one, `pfn`. */
export function viewPage({ core }: ModelMachine, page: number, pfn: number): PageView {
  const pte = core.words(abi.TABLE_PTES)[page] ?? 0;
  const frame = frameOf(core, pte) || pfn;
  const words = core.words(abi.TABLE_PAGES);
  const at = (field: number): number => words[(frame * abi.PAGE_RECORD_SIZE + field) >> 2] ?? 0;
  const flags = at(abi.PAGE_FLAGS);
  return {
    pfn: frame,
    count: at(abi.PAGE_REFCOUNT),
    mapcount: at(abi.PAGE_MAPCOUNT),
    mapping: mappingText(core, at(abi.PAGE_MAPPING)),
    private: privateText(at(abi.PAGE_PRIVATE), flags),
    pte: pteText(pte),
    ctx: (flags & abi.PG_BUDDY) === 0 ? contextText(core, at(abi.PAGE_PRIVATE)) : null,
    flags: flagNames(flags).filter((name) => !ownFlags.has(name)),
  };
}
