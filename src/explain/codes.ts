/** Errnos, kernel profiles, kinds of crash. */
import type { CrashKind, Errno, KernelName } from "../core/names.ts";
import type { Topic } from "./topic.ts";

export const errnoTopics: Readonly<Record<Errno, Topic>> = {
  ENOENT: {
    summary: "no page there",
    what: "The address has no present page: never touched, or the zero page on v3.12.",
    source: "move_pages(2), follow_page(): mm/migrate.c, mm/gup.c.",
    shows: "A status of movePages() and where().",
  },
  EINTR: {
    summary: "ended by a signal",
    what:
      "Whoever takes memory offline has a signal pending. What has moved stays moved, the block is " +
      "online again.",
    source: "__offline_pages() (v3.12), offline_pages() (6.x): mm/memory_hotplug.c.",
    shows:
      "offline() after signalAt(), or when the caller's budget of rounds or time ends (ending says " +
      "which). On 6.x it is the only way out of a block with a page that stays held.",
  },
  EIO: {
    summary: "mbind() with MPOL_MF_STRICT left pages behind",
    what: "Something did not move. What could move has moved all the same.",
    source: "mbind(2): mm/mempolicy.c. Recorded on 3.11, 6.1.192 and 6.12.117.",
    shows: "errno of mbind({ strict: true }).",
  },
  EAGAIN: {
    summary: "not now: somebody holds the page, or the 120 s of an offline are over",
    what:
      "An attempt on a page ends with -EAGAIN if the page is locked, still mapped after try_to_unmap(), " +
      "or has more references than migration can account for. It is tried again, ten times a call. " +
      "__offline_pages() of v3.12 returns it after 120 s.",
    source: "migrate_page_move_mapping(), unmap_and_move(): mm/migrate.c; mm/memory_hotplug.c of v3.12.",
    shows:
      "A status of movePages() on v3.12; errno of offline() on v3.12. pgmigrate_fail counts such pages " +
      "on 6.x and not on v3.12.",
  },
  ENOMEM: {
    summary: "no page to move to",
    what: "The target node is full. The call ends, what was isolated goes back.",
    source: "migrate_pages(): mm/migrate.c.",
    shows: "errno of movePages(); statuses of the chunk or run stay unwritten.",
  },
  EACCES: {
    summary: "several processes map the page",
    what: "mapcount is above 1, and MPOL_MF_MOVE_ALL was not asked for.",
    source: "move_pages(2): mm/migrate.c.",
    shows: "A status of movePages() without moveAll.",
  },
  EFAULT: {
    summary: "no mapping at the address",
    what:
      "No VMA, or one that does not allow the access; on 6.x the zero page, too, on 6.1 a page never " +
      "touched.",
    source: "move_pages(2): mm/migrate.c; handle_mm_fault(): mm/memory.c.",
    shows: "A status of movePages() and where(); errno of touch().",
  },
  EBUSY: {
    summary: "cannot be isolated, or is not movable",
    what:
      "A page that is not on an LRU list cannot be isolated: it waits in a batch, is isolated already, " +
      "or belongs to the kernel. Of a block: it has a page that cannot move.",
    source: "isolate_lru_page(): mm/vmscan.c; has_unmovable_pages(): mm/page_isolation.c.",
    shows: "A status of movePages(); errno of offline().",
  },
  EEXIST: {
    summary: "internal: already isolated",
    what: "The kernel turns it into -EFAULT before a caller of move_pages() sees it.",
    source: "do_pages_move() of 6.x: mm/migrate.c.",
    shows: "Never: nothing that is modelled returns it.",
  },
  ENODEV: {
    summary: "no such node, or a node without memory",
    what: "The target node of an entry does not exist or has no memory.",
    source: "move_pages(2): mm/migrate.c.",
    shows: "errno of movePages(); no status of its chunk (v3.12), or from that entry on (6.x), is written.",
  },
  EINVAL: {
    summary: "the call makes no sense",
    what:
      "A block that is not online, has holes, lies in several zones or is the last memory for the " +
      "kernel itself; a dirty page whose mapping can neither migrate nor write it.",
    source: "offline_pages(): mm/memory_hotplug.c; fallback_migrate_page(): mm/migrate.c.",
    shows: "errno of offline(), online() and migratePages().",
  },
};

export const kernelTopics: Readonly<Record<KernelName, Topic>> = {
  "v3.12": {
    summary: "the kernel that the RFC was written for",
    what:
      "Ten passes a call, forced locking from the fourth; one page at a time, a new target each " +
      "attempt; move_pages() in chunks of 169 entries with a status each; offline in rounds of 256 " +
      "pages for 120 s; a waiter on a migration entry takes a reference.",
    source:
      "mm/migrate.c and virt/kvm/async_pf.c exactly as the RFC's index lines name them, the rest from " +
      "v3.11 and v3.13. Recordings: Linux 3.11 under QEMU.",
    shows: "--kernel v3.12 (the default).",
  },
  "v6.1": {
    summary: "Linux 6.1.y (6.1.192 as Debian has it)",
    what:
      "Ten passes a batch of 512; move_pages() in runs of one node, which ends at the first that fails " +
      "and returns how many pages were left; pages left with -EAGAIN count in pgmigrate_fail; offline " +
      "without any limit; exclusive pages that may be pinned are not unmapped.",
    source: "Source and recordings of 6.1.192, a stable kernel with back-ports; not 6.1.0.",
    shows:
      "--kernel v6.1. The policies pin and rfc are a thought experiment here: since v3.13 nothing is pinned.",
  },
  "v6.12": {
    summary: "Linux 6.12.y (6.12.117 as Debian has it)",
    what:
      "As v6.1, but a batch is unmapped as a whole before it is moved: three asynchronous passes, then " +
      "seven synchronous ones a page. A page that fails stays unmapped, with its target, until the " +
      "passes end.",
    source: "Source and recordings of 6.12.117.",
    shows:
      "--kernel v6.12. A held page costs 2 unmaps and 10 attempts a round, where v3.12 needs 10 of each.",
  },
};

export const crashTopics: Readonly<Record<CrashKind, Topic>> = {
  oops: {
    summary: "the kernel touches memory that it may not",
    what: "A NULL pointer, or a write to read-only memory. The task dies where it is, with its locks held.",
    source: "arch/x86/mm/fault.c.",
    shows:
      "crash.kind of any operation. The machine stops, can be inspected, and refuses further operations.",
  },
  bug: {
    summary: "an assertion of the kernel fails",
    what: "BUG_ON() and VM_BUG_ON(): the kernel found its own state impossible.",
    source: "include/asm-generic/bug.h.",
    shows: "crash.kind: get_page() of a free page, put_page() of a page without references.",
  },
  hang: {
    summary: "a task waits for what never comes",
    what: "It sleeps on a lock that nobody will release. The rest of the machine goes on.",
    source: "What khungtaskd reports after two minutes.",
    shows: "crash.kind: on the straight clock a forced attempt on a page that somebody else has locked.",
  },
  lockup: {
    summary: "a CPU spins with interrupts off",
    what: "It waits for a spinlock that was never one. The machine falls silent.",
    source: "Recorded with the RFC on 3.11: _raw_spin_lock_irq on a word inside an anon_vma.",
    shows: "crash.kind: rfc without L3, for a held page that nobody maps any more.",
  },
};
