/**
 * Numbers that both sides of the wasm boundary agree on: the only file that asc *and* tsc compile.
 *
 * - Only `export const NAME = <integer expression>`: no types, enums, functions or imports.
 * - Every value fits in 31 bits: asc reads 0x8000_0000 as a negative i32, JavaScript does not.
 * - A trailing comment gives the unit, or the kernel symbol that the number stands for.
 */
export const ABI_VERSION = 1; // other builds and their snapshots are refused

// Geometry (x86-64).
export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 1 << PAGE_SHIFT; // bytes
export const PAGEBLOCK_ORDER = 9;
export const PAGEBLOCK_PAGES = 1 << PAGEBLOCK_ORDER;
export const MEMORY_BLOCK_ORDER = 15; // 128 MiB
export const MEMORY_BLOCK_PAGES = 1 << MEMORY_BLOCK_ORDER;
export const MAX_ORDER = 10; // the largest order the buddy allocator keeps
export const NR_ORDERS = MAX_ORDER + 1;

// pfn 0 is never handed out, so a zeroed field means "no page".
export const PFN_NONE = 0;
export const ZERO_PFN = 1; // the shared zero page
export const FIRST_PFN = 2; // the first frame a zone may hand out
export const MAX_PFN = 1 << 26; // PTEs have 26 bits of pfn

// The page record: i32 fields, byte offsets. assembly/state/page.ts asserts offsetof<Page>() against them.
export const PAGE_RECORD_SIZE = 32; // bytes
export const PAGE_RECORD_SHIFT = 5;
export const PAGE_FLAGS = 0; // PG_* bits
export const PAGE_REFCOUNT = 4; // page->_count
export const PAGE_MAPCOUNT = 8; // page_mapcount(): PTEs that map the page, 0 = unmapped
export const PAGE_MAPPING = 12; // object id << 2 | tag bits
export const PAGE_INDEX = 16; // offset in the mapping, or linear page index in the VMA
export const PAGE_PRIVATE = 20; // page_private(); the order while on a buddy list
export const PAGE_NEXT = 24; // page->lru, as pfns; 0 ends a list
export const PAGE_PREV = 28;

// page->flags
export const PG_LOCKED = 1 << 0;
export const PG_ERROR = 1 << 1;
export const PG_REFERENCED = 1 << 2;
export const PG_UPTODATE = 1 << 3;
export const PG_DIRTY = 1 << 4;
export const PG_LRU = 1 << 5;
export const PG_ACTIVE = 1 << 6;
export const PG_UNEVICTABLE = 1 << 7;
export const PG_MLOCKED = 1 << 8;
export const PG_SWAPBACKED = 1 << 9;
export const PG_SWAPCACHE = 1 << 10;
export const PG_WRITEBACK = 1 << 11;
export const PG_PRIVATE = 1 << 12;
export const PG_PRIVATE_2 = 1 << 13;
export const PG_RESERVED = 1 << 14;
export const PG_HWPOISON = 1 << 15;
export const PG_HEAD = 1 << 16;
export const PG_TAIL = 1 << 17;
export const PG_CHECKED = 1 << 18;
export const PG_MAPPEDTODISK = 1 << 19;
export const PG_RECLAIM = 1 << 20;
export const PG_BUDDY = 1 << 21; // PageBuddy(): head of a free block, order in private
export const PG_ANON_EXCLUSIVE = 1 << 22; // since 5.19: one process alone maps the page
export const PG_ISOLATED = 1 << 23; // ours, for the recount: isolation holds a reference
export const PG_MEMCG = 1 << 24; // charged to a memory cgroup: PCG_USED, memcg_data
export const PG_MEMCG_MIGRATION = 1 << 25; // PCG_MIGRATION of v3.12

// page->mapping
export const MAPPING_TAG_MASK = 3;
export const MAPPING_TAG_SHIFT = 2;
export const MAPPING_ANON = 1; // PAGE_MAPPING_ANON
export const MAPPING_KSM = 3; // PAGE_MAPPING_ANON | PAGE_MAPPING_KSM

// page->private: a pointer has this bit, a swap entry (the number of its slot) has not.
export const PRIVATE_POINTER = 1 << 30;

// A PTE: 26 bits of pfn or swap slot, 6 of flags. Not present and not PROT_NONE: an entry, whose kind is
// PTE_MIGRATION.
export const PTE_SHIFT = 6;
export const PTE_FLAG_MASK = (1 << PTE_SHIFT) - 1;
export const PTE_PRESENT = 1 << 0;
export const PTE_WRITE = 1 << 1; // also: the migration entry is a write entry
export const PTE_DIRTY = 1 << 2;
export const PTE_ACCESSED = 1 << 3; // also: the migration entry is an exclusive one
export const PTE_KVM = 1 << 4; // ours: KVM's second-stage table maps the page too
export const PTE_PROTNONE = 1 << 5;
export const PTE_MIGRATION = 1 << 2; // of an entry: migration entry, else swap entry
export const PTE_EXCLUSIVE = 1 << 3; // of a migration or swap entry

// errno
export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;

export const STATUS_UNTOUCHED = 1 << 20; // a move_pages status that the kernel never wrote

// enum migrate_mode
export const MIGRATE_ASYNC = 0;
export const MIGRATE_SYNC_LIGHT = 1;
export const MIGRATE_SYNC = 2;

// enum migrate_reason
export const MR_COMPACTION = 0;
export const MR_MEMORY_FAILURE = 1;
export const MR_MEMORY_HOTPLUG = 2;
export const MR_SYSCALL = 3;
export const MR_MEMPOLICY_MBIND = 4;
export const MR_NUMA_MISPLACED = 5;
export const MR_CMA = 6;
export const MR_LONGTERM_PIN = 7;

// Migrate types of a pageblock.
export const MIGRATE_UNMOVABLE = 0;
export const MIGRATE_RECLAIMABLE = 1;
export const MIGRATE_MOVABLE = 2;
export const MIGRATE_ISOLATE = 3;
export const NR_MIGRATE_TYPES = 4;

// Zones, in the order in which they are laid out in a node.
export const ZONE_DMA32 = 0;
export const ZONE_NORMAL = 1;
export const ZONE_MOVABLE = 2;
export const MAX_NODES = 8;
export const MAX_ZONES = 16;

// LRU lists of a zone.
export const LRU_INACTIVE_ANON = 0;
export const LRU_ACTIVE_ANON = 1;
export const LRU_INACTIVE_FILE = 2;
export const LRU_ACTIVE_FILE = 3;
export const LRU_UNEVICTABLE = 4;
export const NR_LRU_LISTS = 5;

// Swap. Slot 0 of a device is its header, so a zeroed field means "no slot".
export const SWAP_SLOT_NONE = 0;
export const MAX_SWAP_AREAS = 4;
export const MAX_PAGE_CLUSTER = 6; // vm.page-cluster: 2^n slots are read at once

// What becomes of a page that reclaim looks at.
export const RECLAIM_KEPT = 0;
export const RECLAIM_ACTIVATED = 1;
export const RECLAIM_FREED = 2;
export const SWAP_CLUSTER_MAX = 32; // pages that reclaim takes from a list at once

// Kernel profiles.
export const KERNEL_V3_12 = 0;
export const KERNEL_V6_1 = 1;
export const KERNEL_V6_12 = 2;

// Pin policies, and the repairs of POLICY_RFC as switches.
export const POLICY_PIN = 0;
export const POLICY_RFC = 1;
export const POLICY_DROP_GET = 2;
export const POLICY_LONGTERM = 3;
export const REPAIR_L1 = 1 << 0; // apf_mapping writable, its locks and lists initialised
export const REPAIR_L2 = 1 << 1; // harmless bdi, and a set_page_dirty op that only sets the flag
export const REPAIR_L3 = 1 << 2; // the callback passes NULL for an anonymous page
export const REPAIR_L4 = 1 << 3; // reverse-map operations use ctx.ori_mapping
export const REPAIR_L5 = 1 << 4; // writes under the page lock, ctx owned and re-validated

// Kinds of a mapping of a process (VMA).
export const VMA_ANON = 0;
export const VMA_SHMEM = 1; // shared anonymous memory
export const VMA_VDSO = 2; // a kernel page mapped into the process
export const VMA_FILE = 3; // shared mapping of a file

// What a file system does with its pages: a_ops and where they are kept.
export const FILE_TMPFS = 0; // shmem: in memory or swap, migrate_page()
export const FILE_PLAIN = 1; // no private data, migrate_page()
export const FILE_BUFFERED = 2; // buffer heads, buffer_migrate_page(): block devices, ext2 … ext4
export const FILE_NO_MIGRATEPAGE = 3; // a_ops without migratepage: fallback_migrate_page()
export const FILE_NO_WRITEPAGE = 4; // nor writepage
export const FILE_IO_ERROR = 5; // as FILE_NO_MIGRATEPAGE, and every write fails

export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_RW = PROT_READ | PROT_WRITE;

// What holds references of a page.
export const HOLDER_NONE = 0;
export const HOLDER_PTE = 1;
export const HOLDER_PAGE_CACHE = 2;
export const HOLDER_LRU_BATCH = 3;
export const HOLDER_ISOLATION = 4;
export const HOLDER_GET = 5; // get_user_pages() with FOLL_GET
export const HOLDER_PIN = 6; // pin_user_pages(): FOLL_PIN
export const HOLDER_ASYNC_PF = 7; // get_user_pages() of an async_pf worker
export const HOLDER_MIGRATION_WAITER = 8; // a fault that sleeps until a page under migration is unlocked
export const HOLDER_KERNEL = 9; // allocated for the kernel itself
export const HOLDER_MIGRATION_TARGET = 10; // the allocator's reference, until the target is put back
export const HOLDER_LONGTERM = 11; // pin_user_pages() with FOLL_LONGTERM: FOLL_PIN for long
export const HOLDER_BUFFERS = 12; // buffer heads: PG_private
export const HOLDER_SWAP_CACHE = 13;
export const HOLDER_FAULT = 14; // do_wp_page() between the test of a page and the end of its copy
export const GUP_PIN_COUNTING_BIAS = 1024; // references that one FOLL_PIN counts

// Asynchronous page faults.
export const ASYNC_PF_PER_VCPU = 64;
export const APF_FREE = 0;
export const APF_QUEUED = 1; // set up, work pending
export const APF_DONE = 2; // on the done list
export const APF_LOST = 3; // the worker returned before GUP: never done, never completed
export const APF_REFUSED = -1; // queue full: the vCPU faults synchronously
export const APF_REPEATED = -2; // the gfn is pending on this vCPU already: the vCPU halts

export const APF_SLEEPS = -3; // the worker sleeps on a page lock

// How far a worker is, while its item is queued.
export const WORKER_NOT_BEGUN = 0;
export const WORKER_BEGUN = 1; // the RFC has its context
export const WORKER_HAS_PAGE = 2; // GUP has returned
// The RFC as posted takes no lock for what it does next, so others may come between:
export const WORKER_HAS_TESTED = 3; // it has found the page to be anonymous
export const WORKER_HAS_READ = 4; // the context has page->mapping
export const WORKER_HAS_POINTED = 5; // page->private points to the context
export const WORKER_HAS_STORED = 6; // page->mapping is replaced, or is to stay

// How far a vCPU is with the end of a work item; as posted the RFC takes no lock for what it does there.
export const COMPLETION_NONE = 0;
export const COMPLETION_TAKEN = 1; // it is on no list any more, and the guest knows
export const COMPLETION_TESTED = 2; // page->mapping is the substitute
export const COMPLETION_READ = 3; // it has the context that page->private points to
export const COMPLETION_RESTORED = 4; // page->mapping is the original one
export const COMPLETION_FREED = 5; // there is no context to free any more

// How far a migration is that is driven step by step.
export const MIGRATION_NONE = 0;
export const MIGRATION_ISOLATED = 1;
export const MIGRATION_UNMAPPED = 2; // the page is locked, try_to_unmap() has been called
export const MIGRATION_MOVED = 3; // move_to_new_page() has returned
// Within the move, in the callback of the RFC as posted: the end of a work item takes none of its locks.
export const MIGRATION_LOOKED = 4; // it has page->private and the work item of that context
export const MIGRATION_PUT = 5; // it has dropped the work item's reference of the page
export const MIGRATION_CHECKED = 6; // the count was right
// And where another actor can come between, but no call of the host's Migration ends.
export const MIGRATION_TARGETED = 7; // it has a target
export const MIGRATION_LOCKED = 8; // it has the page lock
export const MIGRATION_WRITTEN = 9; // the page is not under writeback
export const MIGRATION_HOLDS = 10; // it has the anon_vma, or needs none
export const MIGRATION_PREPARED = 11; // the target has page->mapping as it was then
export const MIGRATION_DISPATCHED = 12; // it has read page_mapping()
export const MIGRATION_REPLACED = 13; // the count of an ordinary page was right, its mapping has the target
export const MIGRATION_COPIED = 14; // migrate_page_copy() has returned
export const MIGRATION_SLEEPS = 1; // result of a step: it waits for the page lock, and is to be tried again

// Results of a fault.
export const FAULT_MINOR = 1; // the kernel was entered
export const FAULT_NONE = 0; // the PTE allowed the access
export const FAULT_WAIT = 2; // sleeps until a page under migration is unlocked
export const FAULT_NOWAIT = 3; // would sleep on a page lock, and was told not to (FOLL_NOWAIT)
// Content that a write leaves; one that the caller names is 0, a page of zeros, or negative.
export const NEW_CONTENT = 1; // such as no other write leaves
export const ACCESS_SLEEPS = 1 << 30; // beside the number of faults in a run of accesses: the last one sleeps

// What KSM made of a page.
export const KSM_LEFT = 0; // nothing
export const KSM_SHARED = 1; // the page that others are merged with: pages_shared
export const KSM_SHARING = 2; // merged with it: pages_sharing

// How a kernel crash shows.
export const CRASH_NONE = 0;
export const CRASH_OOPS = 1;
export const CRASH_BUG = 2;
export const CRASH_HANG = 3;
export const CRASH_LOCKUP = 4;

// Invariants (what each says: src/explain/invariants.ts).
export const INV_REF = 1;
export const INV_MAPC = 2;
export const INV_TAG = 3;
export const INV_PRIV = 4;
export const INV_RSS = 5;
export const INV_VMSTAT = 6;
export const INV_ENTRY = 7;
export const INV_CTX = 8;
export const INV_OWN = 9;
export const INV_LOCK = 10;
export const INV_UAF = 11;
export const INV_NULL = 12;
export const INV_FREE = 13;
export const INV_LIVE = 14;
export const INV_DATA = 15;
export const INV_LIST = 16; // ours: lists and free areas are consistent
export const INV_PTE = 17; // ours: a PTE allows no more than its VMA and its page do
export const INV_MOVE = 18; // ours: a page that nobody but async_pf holds moves, if the policy promises it

// Sets of what is broken, a bit each: the number of an invariant, or of a counter, or one of these.
export const BROKEN_COUNTERS = 32; // nr_anon_pages, and those after it
export const BROKEN_UNLOCKED_MAPPING = 60; // page->mapping of a mapped page written without its lock
export const BROKEN_UNLOCKED_PRIVATE = 61;
export const BROKEN_DANGLING = 62; // page->private points to a context that is freed

// Kernel functions that a crash names.
export const FN_MUTEX_LOCK = 1;
export const FN_MUTEX_LOCK_SLOWPATH = 2;
export const FN_TRY_TO_UNMAP_FILE = 3;
export const FN_TRY_TO_UNMAP = 4;
export const FN_RAW_SPIN_LOCK = 5;
export const FN_RAW_SPIN_LOCK_IRQ = 6;
export const FN_SET_PAGE_DIRTY_BUFFERS = 7;
export const FN_SET_PAGE_DIRTY = 8;
export const FN_ACCOUNT_PAGE_DIRTIED = 9;
export const FN_MIGRATE_PAGE_MOVE_MAPPING = 10;
export const FN_ASYNC_PF_MIGRATEPAGE = 11;
export const FN_CLEAR_PAGE_DIRTY_FOR_IO = 12;
export const FN_MIGRATE_PAGE_COPY = 13;
export const FN_GET_PAGE = 14;
export const FN_PUT_PAGE = 15;
export const FN_RMAP_WALK_FILE = 17;
export const FN_REMOVE_MIGRATION_PTES = 18;
export const FN_CHECK_ASYNC_PF_COMPLETION = 20;
export const FN_RMAP_WALK_ANON = 22;
export const FN_LOCK_PAGE = 23;
export const FN_SHRINK_PAGE_LIST = 24;
export const FN_PAGE_REFERENCED = 25;
export const FN_PAGE_REFERENCED_FILE = 26;
export const FN_PAGE_MAPPING = 27;
export const FN_TEST_CLEAR_PAGE_WRITEBACK = 28;
export const FN_END_PAGE_WRITEBACK = 29;
export const FN_DELETE_FROM_SWAP_CACHE = 30;
export const FN_REMOVE_MAPPING = 31;

// Counters, each a u64: items of /proc/vmstat first, then what the recorders' probes counted.
export const PGMIGRATE_SUCCESS = 0;
export const PGMIGRATE_FAIL = 1;
export const PGALLOC = 2;
export const PGFREE = 3;
export const PGFAULT = 4;
export const NR_ANON_PAGES = 5;
export const NR_FILE_MAPPED = 6;
export const NR_FILE_PAGES = 7;
export const NR_SHMEM = 8;
export const NR_ISOLATED_ANON = 9;
export const NR_ISOLATED_FILE = 10;
export const NR_MLOCK = 11;
export const NR_FOLL_PIN_ACQUIRED = 12;
export const NR_FOLL_PIN_RELEASED = 13;
export const PSWPIN = 14;
export const PSWPOUT = 15;
export const PGMAJFAULT = 16;
export const PGSCAN = 17; // pages that reclaim has taken from inactive lists
export const PGSTEAL = 18; // of them freed
export const PGACTIVATE = 19;
export const PGDEACTIVATE = 20;
export const PGROTATED = 21;
export const MEMCG_CHARGED = 22; // pages: memory.usage_in_bytes, memory.current
export const PROBE_MIGRATE_PAGES = 23; // calls of migrate_pages()
export const PROBE_MIGRATE_BATCH = 24; // calls of migrate_pages_batch()
export const PROBE_TRY_TO_UNMAP = 25; // calls of try_to_unmap(), try_to_migrate() since 5.14
export const PROBE_PTES_UNMAPPED = 26;
export const PROBE_REFCOUNT_CHECK = 27; // times the reference count was compared, or on 6.12 the move begun
export const PROBE_PAGES_COPIED = 28;
export const PROBE_REMOVE_MIGRATION_PTE = 29;
export const PROBE_ATTEMPTS = 30; // calls of unmap_and_move(): one page, one pass
export const PROBE_TARGETS = 31; // target pages allocated
export const PROBE_OFFLINE_ROUNDS = 32; // calls of do_migrate_range()
export const PROBE_OFFLINE_SKIPPED = 33; // of them counted instead of executed
export const PROBE_KVM_UNMAP = 34; // second-stage entries dropped by the MMU notifier
export const PROBE_CALLBACK_SUCCESS = 35; // async_pf_migratepage() returned 0
export const PROBE_LOG_MIGRATION_FAILED = 36; // "migrating pfn … failed" lines before rate limiting
export const NR_COUNTERS = 37;

// The trace ring: records of i32, the kind and up to four fields.
export const TRACE_RECORD_SIZE = 24; // bytes
export const TRACE_UNMAP = 1; // pfn, refcount, mapcount at the entry of try_to_unmap()
export const TRACE_CHECK = 2; // pfn, refcount, 1 if the page has a mapping; result of the check
export const TRACE_MOVE_RETURN = 3; // pfn, return value of move_to_new_page()
export const TRACE_ISOLATE = 4; // pfn, return value of isolate_lru_page()
export const TRACE_BATCH = 5; // return value of migrate_pages_batch()
export const TRACE_MIGRATE_PAGES = 6; // reason << 2 | mode, succeeded, failed, return value
export const TRACE_MOVED = 7; // from pfn, to pfn

// Configuration words that TypeScript writes before init(): i32 each.
export const CFG_MAX_PFN = 0; // frames of the page table, pfn 0 and holes included
export const CFG_KERNEL = 1;
export const CFG_POLICY = 2;
export const CFG_REPAIRS = 3;
export const CFG_CPUS = 4;
export const CFG_CONTENT_BYTES = 5; // bytes of content per page
export const CFG_PTES = 6; // PTEs of all address spaces together
export const CFG_PROCESSES = 7;
export const CFG_VMAS = 8;
export const CFG_MAPPINGS = 9; // address_space and anon_vma objects together
export const CFG_CACHE_SLOTS = 10; // page-cache slots of all shmem mappings together
export const CFG_PINS = 11; // pins of all kinds at one time
export const CFG_VCPUS = 12;
export const CFG_ENTRIES = 13; // entries of one move_pages call, pages of one pin call
export const CFG_TRACE_RECORDS = 14;
export const CFG_EVENTS = 15; // releases and signals that may be scheduled at one time
export const CFG_SEED_LOW = 16;
export const CFG_SEED_HIGH = 17;
export const CFG_RODATA = 18; // CONFIG_DEBUG_RODATA: const objects are really read-only
export const CFG_NR_NODES = 19;
export const CFG_NR_ZONES = 20;
export const CFG_COST_SYSCALL = 21; // ns, fixed cost of a call
export const CFG_COST_MOVE = 22; // ns, one page moved
export const CFG_COST_ATTEMPT = 23; // ns, one attempt that failed
export const CFG_COST_ROUND = 24; // ns, fixed cost of an offline round
export const CFG_COST_FAULT = 25; // ns, one minor fault
export const CFG_SWAP_SLOTS = 26; // of all swap areas together
export const CFG_DEBUG_VM = 28; // CONFIG_DEBUG_VM: a page that is charged still is not freed (v3.12)
export const CFG_KSM_ITEMS = 27; // places at which pages are merged by KSM at one time
export const CFG_ACTORS = 29; // actors of the explored clock, and on the timed one those of processes
export const CFG_APFS = 30; // work items that can exist at one time
export const CFG_MIGRATIONS = 31; // migrations that can be under way step by step
// The timed clock; all 0: it cannot run.
export const CFG_TASKS = 32; // tasks of guests
export const CFG_JOBS = 33; // operations, pinners and other things that run beside the guests
export const CFG_REQUESTS = 34; // pages in flight to and from swap devices
export const CFG_QUANTILES = 35; // points of distributions
export const CFG_ACCESSES = 36; // accesses of traces
export const CFG_NODES = 37; // first node; CFG_NODE_WORDS each
export const CFG_NODE_WORDS = 2;
export const CFG_NODE_HAS_CPUS = 0;
export const CFG_ZONES = CFG_NODES + MAX_NODES * CFG_NODE_WORDS; // first zone; CFG_ZONE_WORDS each
export const CFG_ZONE_WORDS = 5;
export const CFG_ZONE_NODE = 0;
export const CFG_ZONE_KIND = 1; // ZONE_*
export const CFG_ZONE_START = 2; // pfn
export const CFG_ZONE_END = 3; // pfn, exclusive
export const CFG_ZONE_ONLINE = 4;
export const CFG_WORDS = CFG_ZONES + MAX_ZONES * CFG_ZONE_WORDS;

// Regions of the arena, in order; tablePtr(id) gives the address, tableSize(id) the bytes.
export const TABLE_MACHINE = 0;
export const TABLE_COUNTERS = 1;
export const TABLE_ZONES = 2;
export const TABLE_BATCHES = 3;
export const TABLE_PAGEBLOCKS = 4;
export const TABLE_BLOCKS = 5;
export const TABLE_PROCESSES = 6;
export const TABLE_VMAS = 7;
export const TABLE_MAPPINGS = 8;
export const TABLE_CACHE_SLOTS = 9;
export const TABLE_PINS = 10;
export const TABLE_PIN_HASH = 11;
export const TABLE_VCPUS = 12;
export const TABLE_APFS = 13;
export const TABLE_CTXS = 14;
export const TABLE_EVENTS = 15;
export const TABLE_TRACE = 16;
export const TABLE_ENTRIES = 17; // io: arguments of a batch call
export const TABLE_STATUS = 18; // io: its results
export const TABLE_PTES = 19;
export const TABLE_EXPECTED = 20; // what each PTE's owner last wrote
export const TABLE_PAGES = 21;
export const TABLE_CONTENT = 22;
export const TABLE_NODES = 23;
export const TABLE_BLAME = 24; // pfns that the last migrate_pages() left
export const TABLE_ROUND = 25; // what the straight clock remembers of offline rounds
export const TABLE_SCRATCH = 26; // verify(): recounted references and PTEs of a window of frames
export const TABLE_MIGRATIONS = 27; // migrations that are driven step by step
export const TABLE_SWAP_AREAS = 28;
export const TABLE_SWAP_SLOTS = 29;
export const TABLE_SWAP_CONTENT = 30; // what the devices hold
export const TABLE_KSM_ITEMS = 31;
export const TABLE_ACTORS = 32;
// The timed clock.
export const TABLE_TIMED = 33; // its scalars, and the costs of transitions
export const TABLE_QUEUE = 34; // events by time
export const TABLE_RUNS = 35; // vCPUs in guest mode by the time of their next access
export const TABLE_THREADS = 36; // what the timed clock has of each vCPU
export const TABLE_TASKS = 37;
export const TABLE_CPUS = 38; // physical CPUs: who waits for them, and their kworkers
export const TABLE_KWORKERS = 39; // one for each work item of async_pf
export const TABLE_JOBS = 40;
export const TABLE_RECLAIMS = 41; // reclaims that are under way
export const TABLE_DEVICES = 42; // swap devices
export const TABLE_BIOS = 43; // pages in flight
export const TABLE_WAITERS = 44; // who sleeps on which page lock
export const TABLE_QUANTILES = 45;
export const TABLE_ACCESSES = 46;
export const TABLE_METRICS = 47; // a u64 each
export const TABLE_HISTOGRAMS = 48; // a u32 for each bucket
export const TABLE_BLAMED = 49; // who has kept pages from moving
export const NR_TABLES = 50;

export const VERIFY_WINDOW = 1 << 23; // frames that verify() recounts in one pass

// States of a memory block.
export const BLOCK_ABSENT = 0;
export const BLOCK_OFFLINE = 1;
export const BLOCK_ONLINE = 2;

// Why an offline call of ours ended.
export const OFFLINE_RETURNED = 0; // the kernel's own return value
export const OFFLINE_BUDGET = 1; // the caller's budget of rounds or simulated time ran out
export const OFFLINE_FOREVER = 2; // no round changes anything, and nothing that would is scheduled

// Scheduled events.
export const EVENT_RELEASE = 1; // argument: pin group
export const EVENT_SIGNAL = 2;

// Sections of the state hash.
export const SECTION_PAGES = 0; // page records that are not all zero: pfn, then the eight fields
export const SECTION_PTES = 1; // PTEs that are not 0: number, then value
export const SECTION_COUNTERS = 2; // every counter but PROBE_OFFLINE_SKIPPED, low word, then high word
export const SECTION_OBJECTS = 3; // everything that is neither a page nor a PTE, and simulated time
export const SECTION_CONTENT = 4; // of pages that are up to date and of swap slots, and what is expected
export const NR_SECTIONS = 5;

// Fields of the machine record that TypeScript reads: byte offsets, asserted in assembly/state/machine.ts.
export const MACHINE_NOW_NS = 0; // u64
export const MACHINE_CRASH_KIND = 24;
export const MACHINE_CRASH_FUNCTION = 28;
export const MACHINE_CRASH_CALLER = 32;
export const MACHINE_CRASH_CALLER2 = 36;
export const MACHINE_CRASH_PFN = 40;
export const MACHINE_CRASH_INVARIANT = 44;
export const MACHINE_BAD_PFN = 88;
export const MACHINE_BAD_OBJECT = 92;
export const MACHINE_BAD_EXPECTED = 96; // i64
export const MACHINE_BAD_FOUND = 104; // i64
export const MACHINE_SUBSTITUTE_WORD = 72;
export const MACHINE_NR_PROCESSES = 136;
export const MACHINE_NR_CTXS = 156;
export const MACHINE_NR_TRACE = 164;
export const MACHINE_OFFLINE_ENDING = 176;
export const MACHINE_NR_BLAMED = 196;
export const MACHINE_FIRST_MM = 200;
export const MACHINE_NR_BAD_PAGES = 204;
export const MACHINE_GUP_ERRNO = 208;

// Records that TypeScript reads: byte sizes and offsets, asserted where the record is defined.
export const PIN_SIZE = 32;
export const PIN_KIND = 0;
export const PIN_PFN = 8;
export const PIN_GROUP = 12;
export const PIN_OWNER = 16;
export const PIN_TOKEN = 20;
export const PROCESS_SIZE = 64;
export const PROCESS_LIVE = 0;
export const PROCESS_NEXT = 4;
export const PROCESS_FIRST_PTE = 8;
export const PROCESS_NR_PAGES = 12;
export const PROCESS_FIRST_VMA = 16;
export const PROCESS_RSS_FILE = 20;
export const PROCESS_RSS_ANON = 24;
export const PROCESS_RSS_SWAP = 28;
export const PROCESS_NR_VCPUS = 36;
export const VMA_SIZE = 64;
export const VMA_NEXT = 4;
export const VMA_START = 8;
export const VMA_END = 12;
export const VMA_KIND = 16;
export const VCPU_SIZE = 64;
export const VCPU_MM = 0;
export const VCPU_FIRST_QUEUED = 4;
export const VCPU_QUEUED = 12;
export const VCPU_HALTED = 20;
export const VCPU_NOT_PRESENT = 24;
export const VCPU_READY = 28;
export const VCPU_KVM_REFS = 32;
export const VCPU_COMPLETION = 40;
export const APF_SIZE = 64;
export const APF_STATE = 0;
export const APF_NEXT_QUEUED = 4;
export const APF_VCPU = 12;
export const APF_GFN = 20;
export const APF_TOKEN = 24;
export const APF_PAGE = 28;
export const APF_WORKER = 36;
export const MIGRATION_SIZE = 64;
export const MIGRATION_STEP = 0;
export const MAPPING_SIZE = 32;
export const MAPPING_KIND = 0;
export const MAPPING_SERIAL = 4; // of a file
export const MAPPING_FLAGS = 12; // i16
export const MAPPING_FLAG_FILE = 1 << 8; // of a file, beside that of shared anonymous memory
export const MAPPING_FIRST_SLOT = 20;
export const MAPPING_NR_SLOTS = 24;
export const SWAP_AREA_SIZE = 32;
export const SWAP_AREA_LIVE = 0;
export const SWAP_AREA_FIRST = 4;
export const SWAP_AREA_END = 8;
export const SWAP_AREA_USED = 16;
export const SWAP_SLOT_SIZE = 16;
export const SWAP_SLOT_COUNT = 0;
export const SWAP_SLOT_PFN = 4;
export const ZONE_SIZE = 1024;
export const ZONE_FREE_PAGES = 16;
export const BATCH_SIZE = 128;

// Actors: what is an actor, and what it does. A transition is what happens between two points at which
// another CPU could come; its name and its kernel function are in core/transitions.ts.
export const ACTOR_SIZE = 64;
export const ACTOR_TRANSITION = 16;
export const ACTOR_NONE = 0;
export const ACTOR_GUEST = 1; // a vCPU in guest mode, and its faults
export const ACTOR_ENTRY = 2; // the same thread before it enters the guest: completions
export const ACTOR_WORKER = 3; // kworker that runs the async_pf work of one vCPU
export const ACTOR_MIGRATOR = 4;
export const ACTOR_RECLAIMER = 5;
export const ACTOR_IO = 6; // ends reads and writes of the swap device
export const ACTOR_PROCESS = 7; // the VMM: fork, write, munmap, MADV_DONTNEED, exit
export const ACTOR_PINNER = 8; // get_user_pages() as for O_DIRECT
export const ACTOR_RESET = 9; // a vCPU that is reset

// Operations in the script of an actor: OP << 4 | virtual page.
export const OP_READ = 1;
export const OP_WRITE = 2;
export const OP_MIGRATE = 3; // of a migrator: one call of migrate_pages() for the page
export const OP_RECLAIM = 4; // of a reclaimer: one look at the page
export const OP_UNMAP = 5; // munmap() of the page
export const OP_DISCARD = 6; // MADV_DONTNEED
export const OP_FORK = 7; // the child's address space
export const OP_EXIT = 8; // of the process: a guest is killed
export const OP_EXIT_CHILD = 9;
export const OP_PIN = 10; // get_user_pages()
export const OP_UNPIN = 11; // put_page()
export const OP_WRITE_CHILD = 12; // a write of the child

// Transitions: 1 … 15 of a guest, 16 … 31 of a worker, 32 … 47 of a completion or a reset, 48 … 63 of a
// migrator, 64 … 79 of a reclaimer, 80 … 87 of swap I/O, 88 … 111 of a process, 112 … 119 of a pinner.
export const NR_TRANSITIONS = 120;
export const TRANSITION_GUEST_ACCESS = 1; // the PTE allows it
export const TRANSITION_GUEST_FAULT = 2; // the fault is resolved at once
export const TRANSITION_GUEST_NOT_PRESENT = 3; // NOWAIT has given up, a work item is queued
export const TRANSITION_GUEST_HALT = 4; // the page is pending on this vCPU already
export const TRANSITION_GUEST_SLEEP = 5; // the vCPU thread sleeps on a page lock
export const TRANSITION_WORKER_ALLOC = 16;
export const TRANSITION_WORKER_GUP = 17;
export const TRANSITION_WORKER_TEST = 18;
export const TRANSITION_WORKER_READ = 19;
export const TRANSITION_WORKER_POINT = 20;
export const TRANSITION_WORKER_STORE = 21;
export const TRANSITION_WORKER_FINISH = 22;
export const TRANSITION_ENTRY_TAKE = 32;
export const TRANSITION_ENTRY_TEST = 33;
export const TRANSITION_ENTRY_READ = 34;
export const TRANSITION_ENTRY_RESTORE = 35;
export const TRANSITION_ENTRY_FREE = 36;
export const TRANSITION_ENTRY_PUT = 37;
export const TRANSITION_CLEAR_CANCEL = 40;
export const TRANSITION_CLEAR_TEST = 41; // this and the next ones under async_pf.lock of the vCPU
export const TRANSITION_CLEAR_READ = 42;
export const TRANSITION_CLEAR_RESTORE = 43;
export const TRANSITION_CLEAR_FREE = 44;
export const TRANSITION_CLEAR_PUT = 45;
export const TRANSITION_MIGRATE_ISOLATE = 48;
export const TRANSITION_MIGRATE_ALLOCATE = 49;
export const TRANSITION_MIGRATE_LOCK = 50;
export const TRANSITION_MIGRATE_WRITEBACK = 51;
export const TRANSITION_MIGRATE_ANON_VMA = 52;
export const TRANSITION_MIGRATE_UNMAP = 53;
export const TRANSITION_MIGRATE_PREPARE = 54;
export const TRANSITION_MIGRATE_DISPATCH = 55;
export const TRANSITION_MIGRATE_LOOK = 56; // this and the next one in the RFC's callback as posted
export const TRANSITION_MIGRATE_PUT = 57;
export const TRANSITION_MIGRATE_CHECK = 58; // in the callback as posted, or in migrate_page()
export const TRANSITION_MIGRATE_COPY = 59;
export const TRANSITION_MIGRATE_CALL = 60; // any other migratepage, as a whole: its locks keep others away
export const TRANSITION_MIGRATE_REMAP = 61;
export const TRANSITION_MIGRATE_UNLOCK = 62;
export const TRANSITION_MIGRATE_PUTBACK = 63;
export const TRANSITION_RECLAIM_ISOLATE = 64;
export const TRANSITION_RECLAIM_LOCK = 65;
export const TRANSITION_RECLAIM_READ = 66; // page->mapping and PG_writeback
export const TRANSITION_RECLAIM_REFERENCES = 67;
export const TRANSITION_RECLAIM_TEST = 68; // PageAnon()
export const TRANSITION_RECLAIM_SLOT = 69;
export const TRANSITION_RECLAIM_REREAD = 70; // page->mapping, of a page that is in the swap cache now
export const TRANSITION_RECLAIM_UNMAP = 71;
export const TRANSITION_RECLAIM_WRITE = 72;
export const TRANSITION_RECLAIM_RELOCK = 73; // the write has unlocked it
export const TRANSITION_RECLAIM_FREE = 74;
export const TRANSITION_RECLAIM_UNLOCK = 75;
export const TRANSITION_RECLAIM_PUTBACK = 76;
export const TRANSITION_IO_READ = 80;
export const TRANSITION_IO_WRITE = 81;
export const TRANSITION_ZAP_PTE = 88;
export const TRANSITION_ZAP_RMAP = 89;
export const TRANSITION_REMOVE_VMA = 90;
export const TRANSITION_COPY_PTE = 91;
export const TRANSITION_EXIT_VCPUS = 92;
export const TRANSITION_WRITE_STORE = 93; // the PTE allows the write
export const TRANSITION_WRITE_FAULT = 94; // this and the next four are in the order of TRANSITION_PIN_FAULT
export const TRANSITION_WRITE_TEST = 95;
export const TRANSITION_WRITE_COPY = 96;
export const TRANSITION_WRITE_INSTALL = 97;
export const TRANSITION_WRITE_SLEEP = 98;
export const TRANSITION_PIN_FAULT = 112;
export const TRANSITION_PIN_TEST = 113;
export const TRANSITION_PIN_COPY = 114;
export const TRANSITION_PIN_INSTALL = 115;
export const TRANSITION_PIN_SLEEP = 116;
export const TRANSITION_PIN_GET = 117; // the PTE allows the write
export const TRANSITION_UNPIN = 118;

// The explored clock: how it searches, and why it returns.
export const EXPLORE_ACTORS = 16; // at most: sets of them have 16 bits
export const EXPLORE_MAX_STATES = 100_000_000; // what a memory of 4 GiB holds beside the frontier
export const EXPLORE_BREADTH_FIRST = 0;
export const EXPLORE_DEPTH_FIRST = 1;
export const EXPLORE_RANDOM = 2;
export const EXPLORE_PCT = 3;
export const EXPLORE_RUNNING = 0; // the budget of steps is used up
export const EXPLORE_DONE = 1;
export const EXPLORE_STATES = 2; // as many states as there may be
export const EXPLORE_MEMORY = 3; // no memory for the frontier

// What it came upon.
export const MAX_FOUND = 1024;
export const FOUND_SIZE = 32;
export const FOUND_KIND = 0;
export const FOUND_WHAT = 4;
export const FOUND_TRANSITION = 8;
export const FOUND_STATE = 12;
export const FOUND_ACTOR = 16;
export const FOUND_DEPTH = 20;
export const FOUND_BROKEN = 1; // what: bit of the set
export const FOUND_CRASH = 2; // what: invariant | function << 8 | caller << 16 | CRASH_* << 24
export const FOUND_END = 3; // as FOUND_BROKEN, where nothing is left to do
export const FOUND_STUCK = 4; // what: ACTOR_*, who has work left and can take no step

// What became of a step that an actor was to take.
export const STEP_TAKEN = 0;
export const STEP_BLOCKED = 1; // it waits, and nothing has changed

// Options of a migrator.
export const MIGRATOR_ATTEMPTS = 255; // in these bits: how many a call makes, 0 = 1
export const MIGRATOR_MODE_SHIFT = 8; // MIGRATE_*, two bits
export const MIGRATOR_FORCE = 1 << 12; // attempts may sleep for the page lock, as those of passes 3 to 9

// What holds a page that an attempt could not move: nothing but work items of async_pf, or something else.
export const HELD_OTHERWISE = 0;
export const HELD_BY_ASYNC_PF = 1; // of them one whose worker or whose completion is under way
export const HELD_BY_DONE_ASYNC_PF = 2; // all of them wait for their vCPUs

// Fields that the tests of verify() break: byte offsets, asserted in assembly/check/.
export const MACHINE_LRU_DISABLED = 60;
export const MACHINE_NR_VMAS = 140;
export const MACHINE_NR_MAPPINGS = 144;
export const MACHINE_NR_PINS = 148;
export const MACHINE_STEPPING = 172;
export const PROCESS_MM_COUNT = 40;
export const VMA_OBJECT = 44;
export const VMA_NEXT_IN_OBJECT = 48;
export const VCPU_FIRST_DONE = 8;
export const CTX_SIZE = 32;
export const CTX_CONTEXT = 12;
export const MAPPING_FIRST_VMA = 8;
export const MAPPING_REFCOUNT = 28;
export const MACHINE_NR_KSM_ITEMS = 228;
export const MAPPING_KSM_PFN = 4; // of a KSM node
export const MAPPING_KSM_FIRST_ITEM = 20;
export const KSM_ITEM_SIZE = 16;
export const KSM_ITEM_NEXT = 4;
export const KSM_ITEM_ANON_VMA = 8;
export const KSM_ITEM_INDEX = 12;

// The timed clock: costs beside those of transitions, which have the numbers below; ns.
export const COST_EXIT = 128; // from the guest's access to the kernel
export const COST_ENTRY = 129;
export const COST_WAKEUP = 130; // from the end of a wait to the task that waited
export const COST_SWITCH = 131; // of a physical CPU to another vCPU
export const COST_FAULT = 132; // a fault that is resolved at once
export const COST_NOT_PRESENT = 133; // set-up of a work item, and the exception
export const COST_READY = 134; // "page ready" in the guest
export const COST_KICK = 135; // an IPI that makes a vCPU leave the guest
export const COST_ISOLATE = 136; // a page that is taken off the LRU to be migrated
export const COST_CALL = 137; // move_pages(), offline: once a call
export const COST_ROUND = 138; // once a round of an offline
export const COST_DRAIN = 139; // lru_add_drain_all()
export const COST_AGE = 140; // a page of the active list that reclaim looks at
export const COST_PIN = 141; // get_user_pages() of a page that is there
export const NR_COSTS = 144;

// What an event is about: kind << EVENT_KIND_SHIFT | number.
export const EVENT_KIND_SHIFT = 24;
export const EVENT_THREAD = 1; // a vCPU thread
export const EVENT_KWORKER = 2; // a work item
export const EVENT_REQUEST = 3; // a request of a swap device ends
export const EVENT_JOB = 4;
export const EVENT_RECLAIM = 5;
export const EVENT_CPU = 6; // the time slice of a physical CPU ends
export const EVENT_UNPIN = 7; // a pin is released
export const EVENT_TASK = 8; // a task of a guest has slept enough

// Why a run on the timed clock returns.
export const TIMED_MORE = 0; // its budget of events is used up
export const TIMED_UNTIL = 1; // nothing is due before the time it was to run to
export const TIMED_DONE = 2; // the last operation has ended, and it was to end then
export const TIMED_IDLE = 3; // nothing is due at all

// Jobs: kinds, and what they count.
export const JOB_OFFLINE = 1;
export const JOB_MOVE_PAGES = 2;
export const JOB_FORK = 3;
export const JOB_KILL = 4;
export const JOB_PAUSE = 5;
export const JOB_RESUME = 6;
export const JOB_RESIZE = 7;
export const JOB_SIGNAL = 8;
export const JOB_PIN = 9;
export const JOB_DRAIN = 10;
export const JOB_PINNER = 11;
export const JOB_MIGRATION = 12; // background migration of one page at a time
export const JOB_SIZE = 256;
export const JOB_KIND = 0;
export const JOB_STATE = 4; // 0 = not begun
export const JOB_RUNNING = 1;
export const JOB_ENDED = 2;
export const JOB_GAVE_UP = 3; // the caller's patience was at its end
export const JOB_START_NS = 8; // u64
export const JOB_END_NS = 16; // u64
export const JOB_RC = 24;
export const JOB_ROUNDS = 28;
export const JOB_MOVED = 32;
export const JOB_LEFT = 36;
export const JOB_PINS_AT_START = 40;
export const JOB_FAILED_FIRST = 44; // pages whose first attempt has failed
export const JOB_MM = 48;
export const JOB_FIRST = 52; // page, block or vCPU
export const JOB_NR = 56; // pages
export const JOB_NODE = 60;
export const JOB_BATCH = 64;
export const JOB_GIVE_UP_ROUNDS = 68; // 0 = none
export const JOB_GIVE_UP_NS = 72; // u64, 0 = none
export const JOB_RNG = 80; // u64
export const JOB_EVERY = 88; // distribution of the intervals
export const JOB_HOLD = 92; // distribution of the hold times, 0 = for ever
export const JOB_AT_ONCE = 96;
export const JOB_PIN_KIND = 100; // HOLDER_*
export const JOB_IS_OPERATION = 104; // it counts for the end of the run

// Tasks of guests.
export const PATTERN_NONE = 0; // it computes
export const PATTERN_UNIFORM = 1;
export const PATTERN_ZIPF = 2;
export const PATTERN_SEQUENTIAL = 3;
export const PATTERN_SHIFT = 4;
export const PATTERN_PING_PONG = 5;
export const PATTERN_TRACE = 6;
export const TASK_SIZE = 128;
export const TASK_PATTERN = 0;
export const TASK_FIRST_PAGE = 4;
export const TASK_PAGES = 8;
export const TASK_ACCESS_NS = 12;
export const TASK_WRITE_PERCENT = 16;
export const TASK_SLEEP_EVERY = 20;
export const TASK_RNG = 24; // u64
export const TASK_SLEEP_NS = 32; // u64
export const TASK_EVERY_NS = 40; // u64, of shift and ping-pong
export const TASK_WINDOW = 48; // pages, of shift; first entry of the table, of zipf; first access, of trace
export const TASK_STEP = 52; // pages, of shift; entries of the table, of zipf; accesses, of trace

// vCPU threads.
export const THREAD_SIZE = 256;
export const ASYNC_PF_OFF = 0;
export const ASYNC_PF_HALT = 1;
export const ASYNC_PF_PARAVIRTUAL = 2;

// Swap devices.
export const DEVICE_SIZE = 64;

// Sums: a u64 each.
export const METRIC_ACCESSES = 0;
export const METRIC_WORK_NS = 1;
export const METRIC_GUEST_NS = 2;
export const METRIC_HALTED_NS = 3;
export const METRIC_STALLED_NS = 4;
export const METRIC_WAITING_NS = 5;
export const METRIC_EXITS = 6;
export const METRIC_FAULTS = 7;
export const METRIC_ASYNC_PFS = 8;
export const METRIC_READY = 9;
export const METRIC_SYNC_FAULTS = 10;
export const METRIC_READ_REQUESTS = 11;
export const METRIC_WRITE_REQUESTS = 12;
export const METRIC_DIRECT_RECLAIMS = 13;
export const METRIC_MIGRATION_FAILURES = 14;
export const METRIC_PINS = 15;
export const METRIC_PIN_NS = 16;
export const METRIC_EVENTS = 17;
export const METRIC_SKIPPED_PINS = 18; // a pinner found no page that was there
export const NR_METRICS = 24;

// Histograms of durations in ns: buckets as those of an HDR histogram, 2^5 in each octave.
export const HISTOGRAM_FAULT = 0;
export const HISTOGRAM_PIN = 1;
export const HISTOGRAM_MIGRATION = 2;
export const HISTOGRAM_STALL = 3;
export const NR_HISTOGRAMS = 4;
export const HISTOGRAM_SHIFT = 5;
export const HISTOGRAM_BUCKETS = 45 << HISTOGRAM_SHIFT; // up to 2^49 ns

// Who has kept pages from moving.
export const BLAME_ROWS = 1024;
export const BLAME_SIZE = 32;
export const BLAME_KIND = 0; // HOLDER_*, 0 = it is no pin
export const BLAME_OWNER = 4;
export const BLAME_PAGES = 8;
export const BLAME_BLOCKED_NS = 16; // u64
export const BLAME_LONGEST_NS = 24; // u64
