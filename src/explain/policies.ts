/** Pin policies, the repairs of the RFC, and the situation that `run` puts them in. */
import type { PolicyName, RepairName } from "../core/names.ts";
import type { Topic } from "./topic.ts";

/** Where a policy was the kernel's behaviour. */
export const policyOrigins: Readonly<Record<PolicyName, string>> = {
  pin: "Linux up to v3.12",
  rfc: "posted 30 September 2013, never merged",
  "drop-get": "Linux since v3.13 (f2e106692d51)",
  longterm: "io_uring and VFIO buffers on 6.x",
};

const RFC_SOURCE =
  'The mail "[RFC] kvm async_pf anon pined pages migration" of 30 September 2013 (chai wen), message-id ' +
  "1380535387-26237-1-git-send-email-chaiw.fnst@cn.fujitsu.com, against mm/migrate.c and " +
  "virt/kvm/async_pf.c of v3.12-rc.";

const LAYER_SOURCE =
  "Our own split of what the patch would need to work; nobody posted it. The faults of the patch hide each " +
  "other, so the repairs are separate switches, and any subset can be run.";

export const policyTopics: Readonly<Record<PolicyName, Topic>> = {
  pin: {
    summary: "the worker's get_user_pages() keeps a reference until the completion runs",
    what:
      "The worker of an asynchronous page fault calls get_user_pages() with FOLL_GET. The reference " +
      "stays on the page until the vCPU thread handles the completion, and that can be long: the thread " +
      "must leave guest mode or user space first. Migration unmaps the page, compares its reference " +
      "count with the references that it knows of, finds one too many and maps the page again.",
    source: "virt/kvm/async_pf.c up to v3.12; the problem that the RFC describes.",
    shows:
      "Ten attempts a call end in -EAGAIN, each with an unmap and a remap, none with a copy; " +
      "pgmigrate_fail does not count them on v3.12. Offline of a block ends with -EAGAIN after 120 s; " +
      "with 6.x it never ends.",
  },
  rfc: {
    summary: "page->mapping is replaced by one whose migratepage knows about the pin",
    what:
      "The worker hangs a context on page->private and points page->mapping at a global address_space, " +
      "whose migratepage drops the pin, moves the page and takes the pin again on the new one. The " +
      "completion puts the old mapping back. Without repairs this is the mail as posted: apf_mapping is " +
      "a const object, all zero but for a_ops.",
    source:
      `${RFC_SOURCE} The patch was also run on a kernel of its era; the first oops below was recorded ` +
      "there.",
    shows:
      "A replaced page is no longer anonymous to the kernel, so rmap takes the file walk and locks the " +
      "mutex of apf_mapping: oops in mutex_lock ← try_to_unmap_file. Add repairs with --policy " +
      "rfc+L1+L2 or --repair.",
  },
  "drop-get": {
    summary: "the worker only faults the page in and holds nothing",
    what:
      "get_user_pages() is called without FOLL_GET: the page is faulted in, and no reference is kept. " +
      "The vCPU faults again after the completion and takes its own, so the one of the worker was of no " +
      "use.",
    source:
      'Commit f2e106692d51 "KVM: Drop FOLL_GET in GUP when doing async page fault" (chai wen, 14 ' +
      "October 2013), in v3.13 and ever since.",
    shows: "Nothing is held while a completion waits: every page moves at its first attempt.",
  },
  longterm: {
    summary: "the page is moved out of ZONE_MOVABLE first, then held as by pin",
    what:
      "get_user_pages() as with FOLL_LONGTERM: a page in ZONE_MOVABLE, or in a block that is being taken " +
      "offline, is migrated out before the reference is taken, so that what is held is never in the way " +
      "of an offline. If it cannot be migrated the call fails with -ENOMEM, and the fault completes " +
      "without a page.",
    source:
      "check_and_migrate_movable_pages() in mm/gup.c of 6.x; recordings of 6.1 and 6.12 with io_uring " +
      "buffers. async_pf never did this in any kernel.",
    shows:
      "The block can be taken offline while completions wait, at the price of a migration per fault. " +
      "Pages in other zones are held as before: move_pages(2) fails for them.",
  },
};

export const repairTopics: Readonly<Record<RepairName, Topic>> = {
  L1: {
    summary: "apf_mapping is writable, its locks and lists are initialised",
    what:
      "The object lies in writable memory, i_mmap_mutex, tree_lock and private_lock are initialised, " +
      "the tree and i_mmap are empty. host and backing_dev_info stay NULL.",
    source: LAYER_SOURCE,
    shows:
      "The oops in mutex_lock goes; now the file walk over an empty tree finds no PTE. A mapped page is " +
      "never unmapped, so migratepage is never called: -EAGAIN for ever with no PTE removed. That is " +
      "the second of the two problems that the author of the RFC saw himself.",
  },
  L2: {
    summary: "apf_mapping has a harmless bdi and a set_page_dirty that only sets the flag",
    what:
      "backing_dev_info and host can be followed without harm, and a_ops has a set_page_dirty that sets " +
      "PG_dirty and nothing else.",
    source: LAYER_SOURCE,
    shows:
      "Zapping a dirty PTE of a held page does not crash any more. The page is still taken for a file " +
      "page then, so the rss counters of the process are wrong at its exit (INV-RSS).",
  },
  L3: {
    summary: "migratepage passes NULL instead of the tagged anon_vma pointer",
    what:
      "migrate_page_move_mapping() gets no mapping for an anonymous page. As posted it gets the " +
      "anon_vma pointer with its tag, as if that were an address_space, and spins on a lock word that " +
      "lies inside it.",
    source: LAYER_SOURCE,
    shows:
      "The callback can succeed where it is reached: only for a page that nobody maps any more. A " +
      "mapped page stays as with L1.",
  },
  L4: {
    summary: "reverse-map operations use the original mapping",
    what: "try_to_unmap() and its relatives look through the substitute at ctx->ori_mapping.",
    source: LAYER_SOURCE,
    shows:
      "The design as it was meant: a held page is unmapped, migratepage moves it, the block goes " +
      "offline. The new page has the original mapping, so the completion does not see that it should " +
      "free the context: one leak for each page that moved (INV-CTX), and a second migration before the " +
      "completion fails.",
  },
  L5: {
    summary: "writes under page lock and vCPU lock, contexts owned and freed",
    what:
      "Every write of mapping and private happens under the page lock and the vCPU lock and checks " +
      "again what it found. Work items on the same page share one context, which goes with the page " +
      "when it moves and is freed by the last of them. The substitute keeps the ANON tag.",
    source: LAYER_SOURCE,
    shows: "With L1 to L4: pages move while they are held, as often as wanted, and nothing is left behind.",
  },
};

export const situationTopic: Topic = {
  summary: "what `pinshift run situation` sets up",
  what:
    "A host with 256 MiB of ZONE_NORMAL (65,536 frames) and one block of 128 MiB in ZONE_MOVABLE " +
    "(32,768 frames). A guest with 40,000 pages of anonymous memory and 4 vCPUs writes to all of them: " +
    "its first 32,768 pages fill the block, the rest lies in the normal zone. Each vCPU has 4 to 12 " +
    "asynchronous page faults on distinct random pages of the block (--seed); the workers have run, the " +
    "completions have not. Then the block is taken offline. Then all completions run, what is left is " +
    "counted, a block that stayed is tried once more, and the guest exits. Each page carries 8 bytes of " +
    "content, and what a guest reads must be what it last wrote.",
  source:
    "The RFC: memory hot-remove against pages that asynchronous page faults hold. The pages are " +
    "resident when the faults start: swap is not modelled yet, and what blocks migration is the " +
    "worker's reference, not the read.",
  shows:
    "moved and left count pages of the block. attempts counts calls of unmap_and_move(): one page, one " +
    "pass. unmapped (unmapCycles) counts PTEs that became migration entries, and every page here has " +
    "one PTE; of pages that moved it counts one each. Times are simulated (docs/model.md). held by " +
    "names the holders that migration cannot account for. stateHash is taken once all completions have " +
    "run, or after the crash.",
};
