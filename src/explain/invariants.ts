/** Invariants: what must hold between operations, and what a violation means. */
import type { Invariant } from "../core/names.ts";
import type { Topic } from "./topic.ts";

const RECOUNT =
  "Host.verify() recounts it over the whole machine and names the first violation with its holders.";
const AT_ONCE =
  "The operation that breaks it stops the machine: the crash names function, page and this invariant.";

export const invariantTopics: Readonly<Record<Invariant, Topic>> = {
  "INV-REF": {
    summary: "a page's reference count is the sum of its holders",
    what:
      "Every reference has a holder: a PTE, the page cache, the swap cache, an LRU-add batch, " +
      "isolation, a get or pin, an asynchronous page fault, a waiter on a migration entry, the kernel. " +
      "Their references add up to the count; it is never negative and never raised from 0. In the same " +
      "way VMAs and migrations add up to the count of an anon_vma or address_space, and work that is not " +
      "done to the counts of its process and of the VM: a violation names that object then, and page 0.",
    source:
      "struct page's _count (v3.12), _refcount (since 4.6): include/linux/mm.h, mm/swap.c; anon_vma's " +
      "refcount, mm_count, kvm's users_count.",
    shows: `${RECOUNT} get_page() of a free page and put_page() below 0 are a kernel BUG.`,
  },
  "INV-MAPC": {
    summary: "a page's mapcount is the number of PTEs that map it",
    what: "Present PTEs, those made PROT_NONE included; migration entries do not map.",
    source: "struct page's _mapcount: mm/rmap.c. The kernel's field starts at -1, the simulated one at 0.",
    shows: RECOUNT,
  },
  "INV-TAG": {
    summary: "a page that an anonymous mapping has is tagged as anonymous",
    what:
      "Bit 0 of page->mapping says that the word is an anon_vma. rmap, reclaim, rss and the statistics " +
      "ask it. The RFC takes the bit away from pages that are still mapped, and most of its faults " +
      "follow from that. Also: a KSM page, bit 1 too, and its stable node name each other.",
    source: "PAGE_MAPPING_ANON: include/linux/mm.h.",
    shows: `${RECOUNT} Between worker and completion it is broken under rfc without L5.`,
  },
  "INV-PRIV": {
    summary: "a swap-cache page's private word is its swap entry",
    what:
      "And the slot of that entry in the swap cache is this page. The RFC stores a pointer in the same " +
      "word.",
    source: "page_private() of a PageSwapCache page: mm/swap_state.c.",
    shows:
      `${RECOUNT} Under rfc without L5 the worker breaks it when it gets a page that is still being ` +
      "written to swap; the end of that write then follows the pointer, an oops.",
  },
  "INV-RSS": {
    summary: "a process's resident counters equal a recount of its PTEs",
    what:
      "File, anonymous and swapped pages are counted as the PTEs come and go, by the tag that the page " +
      "has at that moment. If the tag changes in between, the page leaves another counter than it " +
      "entered.",
    source: 'mm->rss_stat; "Bad rss-counter state" at the last drop of an mm: kernel/fork.c.',
    shows: `${RECOUNT} exit() returns the counters that are left as badRss.`,
  },
  "INV-VMSTAT": {
    summary: "the host's page statistics equal a recount",
    what: "nr_anon_pages, nr_file_mapped, nr_file_pages, nr_isolated_anon, nr_isolated_file and nr_mlock.",
    source: "/proc/vmstat: mm/vmstat.c.",
    shows: RECOUNT,
  },
  "INV-ENTRY": {
    summary: "a migration entry names a locked page, and none is left between operations",
    what: "Faults sleep on the lock of the page that the entry names; without it they would never be woken.",
    source: "make_migration_entry() and its BUG_ON: include/linux/swapops.h.",
    shows: RECOUNT,
  },
  "INV-CTX": {
    summary: "every context of the RFC belongs to one page and to a live fault",
    what:
      "Each live kvm_apf_ctx is named by exactly one page, or by a worker that runs, and its work item " +
      "exists. When all completions have run there is none.",
    source: "The RFC's kvm_apf_ctx; the invariant is ours.",
    shows: `${RECOUNT} Host.leaks().contexts counts what is left.`,
  },
  "INV-OWN": {
    summary: "a fault's page is the page on which it holds its reference",
    what:
      "apf->page must follow when the page moves, or the completion drops a reference of somebody " +
      "else's page.",
    source: "struct kvm_async_pf: include/linux/kvm_host.h up to v3.12; the invariant is ours.",
    shows: RECOUNT,
  },
  "INV-LOCK": {
    summary: "only initialised locks of the right kind of object are taken",
    what:
      "An all-zero mutex of v3.12 counts as locked and has no list to wait on. A tagged pointer taken " +
      "for an address_space has bytes of a pointer where the lock should be.",
    source: "kernel/mutex.c, arch/x86/include/asm/spinlock.h of v3.12; the invariant is ours.",
    shows:
      `${AT_ONCE} rfc as posted: oops in mutex_lock ← try_to_unmap_file, since the object is read-only; ` +
      "with debugRodata: false in __mutex_lock_slowpath.",
  },
  "INV-UAF": {
    summary: "nothing that has been freed is used",
    what: "Pages, contexts, work items, anon_vmas, stable nodes.",
    source: "Use after free: KASAN reports it in kernels of today, a 2013 kernel goes on.",
    shows: `${AT_ONCE} ${RECOUNT}`,
  },
  "INV-NULL": {
    summary: "no pointer that is NULL is followed",
    what: "apf_mapping has neither backing_dev_info nor host, and the dirty accounting follows both.",
    source: "account_page_dirtied(), clear_page_dirty_for_io(): mm/page-writeback.c.",
    shows: `${AT_ONCE} L2 repairs it.`,
  },
  "INV-FREE": {
    summary: "a page is in a sound state when it is freed",
    what: "Unmapped, without mapping, and without the flags that no free page may have.",
    source: 'free_pages_check(), "Bad page state": mm/page_alloc.c.',
    shows: `The page is leaked, not freed, as in the kernel; Host.leaks().badPages counts them. ${RECOUNT}`,
  },
  "INV-LIVE": {
    summary: "every fault that was started completes or is cancelled",
    what:
      "A work item that is neither done nor queued blocks a guest task for ever. The RFC's worker " +
      "returns early when the allocation of its context fails. Also: nobody waits for a lock that " +
      "nobody will release, or whose release will not wake it.",
    source: "virt/kvm/async_pf.c; the invariant is ours.",
    shows: `Host.leaks().lostFaults counts them. ${RECOUNT}`,
  },
  "INV-DATA": {
    summary: "a guest reads what it last wrote",
    what: "The content behind an address changes by writes through a mapping and by nothing else.",
    source: "What memory is.",
    shows: `Only if the host has contentBytes. ${RECOUNT}`,
  },
  "INV-LIST": {
    summary: "lists and free areas are consistent",
    what:
      "A page is on one LRU list iff it has PG_lru; free blocks are on the list of their order and " +
      "type; lengths and free counts agree; no batch is overfull. The chain of an anon_vma or " +
      "address_space has each of its VMAs once; the rmap items of a KSM page lead to each of its PTEs " +
      "once. Records of the simulator are in use or free, and its totals agree.",
    source: "Ours: a check on Pinshift as much as on the kernel.",
    shows: RECOUNT,
  },
  "INV-MOVE": {
    summary: "a page that nobody but async_pf holds moves",
    what:
      "What rfc and drop-get promise: a migration attempt does not fail because of the reference of an " +
      "asynchronous page fault. Any other holder may keep the page where it is. pin and longterm " +
      "promise no such thing.",
    source: "Pinshift's own; the purpose of the RFC as its mail states it.",
    shows: "pinshift explore checks it at the end of every migration attempt.",
  },
  "INV-PTE": {
    summary: "a PTE allows no more than its VMA and its page do",
    what:
      "No page can be read behind PROT_NONE, nor written where the VMA is read-only. On 6.x an anonymous " +
      "page that some PTE lets be written is exclusive (PG_anon_exclusive); an exclusive one has one PTE. " +
      "No PTE lets a KSM page be written.",
    source: "Ours; PG_anon_exclusive as include/linux/page-flags.h of 6.x describes it.",
    shows: RECOUNT,
  },
};
