/** Names of the numbers in abi.ts, for reports and errors. The one table from each code to its name. */
import * as abi from "./abi.ts";

/** Kernel profiles by name. */
export const kernels = {
  "v3.12": abi.KERNEL_V3_12,
  "v6.1": abi.KERNEL_V6_1,
  "v6.12": abi.KERNEL_V6_12,
} as const;
export type KernelName = keyof typeof kernels;

/** Pin policies by name. */
export const policies = {
  pin: abi.POLICY_PIN,
  rfc: abi.POLICY_RFC,
  "drop-get": abi.POLICY_DROP_GET,
  longterm: abi.POLICY_LONGTERM,
} as const;
export type PolicyName = keyof typeof policies;

/** Repairs of the policy `rfc` by name. */
export const repairs = {
  L1: abi.REPAIR_L1,
  L2: abi.REPAIR_L2,
  L3: abi.REPAIR_L3,
  L4: abi.REPAIR_L4,
  L5: abi.REPAIR_L5,
} as const;
export type RepairName = keyof typeof repairs;

export const zoneKinds = {
  dma32: abi.ZONE_DMA32,
  normal: abi.ZONE_NORMAL,
  movable: abi.ZONE_MOVABLE,
} as const;
export type ZoneKind = keyof typeof zoneKinds;

export const fileKinds = {
  tmpfs: abi.FILE_TMPFS,
  plain: abi.FILE_PLAIN,
  buffered: abi.FILE_BUFFERED,
  "no-migratepage": abi.FILE_NO_MIGRATEPAGE,
  "no-writepage": abi.FILE_NO_WRITEPAGE,
  "io-error": abi.FILE_IO_ERROR,
} as const;
export type FileKind = keyof typeof fileKinds;

export const regionKinds = { anon: abi.VMA_ANON, shmem: abi.VMA_SHMEM, vdso: abi.VMA_VDSO } as const;
export type RegionKind = keyof typeof regionKinds;

export const protections = {
  none: abi.PROT_NONE,
  read: abi.PROT_READ,
  "read-write": abi.PROT_RW,
} as const;
export type Protection = keyof typeof protections;

const errnos = {
  ENOENT: abi.ENOENT,
  EINTR: abi.EINTR,
  EIO: abi.EIO,
  EAGAIN: abi.EAGAIN,
  ENOMEM: abi.ENOMEM,
  EACCES: abi.EACCES,
  EFAULT: abi.EFAULT,
  EBUSY: abi.EBUSY,
  EEXIST: abi.EEXIST,
  ENODEV: abi.ENODEV,
  EINVAL: abi.EINVAL,
} as const;
export type Errno = keyof typeof errnos;

export const holderKinds = {
  pte: abi.HOLDER_PTE,
  "page-cache": abi.HOLDER_PAGE_CACHE,
  "lru-batch": abi.HOLDER_LRU_BATCH,
  isolation: abi.HOLDER_ISOLATION,
  get: abi.HOLDER_GET,
  pin: abi.HOLDER_PIN,
  async_pf: abi.HOLDER_ASYNC_PF,
  "migration-waiter": abi.HOLDER_MIGRATION_WAITER,
  kernel: abi.HOLDER_KERNEL,
  "migration-target": abi.HOLDER_MIGRATION_TARGET,
  longterm: abi.HOLDER_LONGTERM,
  buffers: abi.HOLDER_BUFFERS,
  "swap-cache": abi.HOLDER_SWAP_CACHE,
  fault: abi.HOLDER_FAULT,
} as const;
export type HolderKind = keyof typeof holderKinds;

export const crashKinds = {
  oops: abi.CRASH_OOPS,
  bug: abi.CRASH_BUG,
  hang: abi.CRASH_HANG,
  lockup: abi.CRASH_LOCKUP,
} as const;
export type CrashKind = keyof typeof crashKinds;

export const invariants = {
  "INV-REF": abi.INV_REF,
  "INV-MAPC": abi.INV_MAPC,
  "INV-TAG": abi.INV_TAG,
  "INV-PRIV": abi.INV_PRIV,
  "INV-RSS": abi.INV_RSS,
  "INV-VMSTAT": abi.INV_VMSTAT,
  "INV-ENTRY": abi.INV_ENTRY,
  "INV-CTX": abi.INV_CTX,
  "INV-OWN": abi.INV_OWN,
  "INV-LOCK": abi.INV_LOCK,
  "INV-UAF": abi.INV_UAF,
  "INV-NULL": abi.INV_NULL,
  "INV-FREE": abi.INV_FREE,
  "INV-LIVE": abi.INV_LIVE,
  "INV-DATA": abi.INV_DATA,
  "INV-LIST": abi.INV_LIST,
  "INV-PTE": abi.INV_PTE,
  "INV-MOVE": abi.INV_MOVE,
} as const;
export type Invariant = keyof typeof invariants;

const functions: Readonly<Record<number, string>> = {
  [abi.FN_MUTEX_LOCK]: "mutex_lock",
  [abi.FN_MUTEX_LOCK_SLOWPATH]: "__mutex_lock_slowpath",
  [abi.FN_TRY_TO_UNMAP_FILE]: "try_to_unmap_file",
  [abi.FN_TRY_TO_UNMAP]: "try_to_unmap",
  [abi.FN_RAW_SPIN_LOCK]: "_raw_spin_lock",
  [abi.FN_RAW_SPIN_LOCK_IRQ]: "_raw_spin_lock_irq",
  [abi.FN_SET_PAGE_DIRTY_BUFFERS]: "__set_page_dirty_buffers",
  [abi.FN_SET_PAGE_DIRTY]: "set_page_dirty",
  [abi.FN_ACCOUNT_PAGE_DIRTIED]: "account_page_dirtied",
  [abi.FN_MIGRATE_PAGE_MOVE_MAPPING]: "migrate_page_move_mapping",
  [abi.FN_ASYNC_PF_MIGRATEPAGE]: "async_pf_migratepage",
  [abi.FN_CLEAR_PAGE_DIRTY_FOR_IO]: "clear_page_dirty_for_io",
  [abi.FN_MIGRATE_PAGE_COPY]: "migrate_page_copy",
  [abi.FN_GET_PAGE]: "get_page",
  [abi.FN_PUT_PAGE]: "put_page",
  [abi.FN_RMAP_WALK_FILE]: "rmap_walk_file",
  [abi.FN_REMOVE_MIGRATION_PTES]: "remove_migration_ptes",
  [abi.FN_CHECK_ASYNC_PF_COMPLETION]: "kvm_check_async_pf_completion",
  [abi.FN_RMAP_WALK_ANON]: "rmap_walk_anon",
  [abi.FN_LOCK_PAGE]: "__lock_page",
  [abi.FN_SHRINK_PAGE_LIST]: "shrink_page_list",
  [abi.FN_PAGE_REFERENCED]: "page_referenced",
  [abi.FN_PAGE_REFERENCED_FILE]: "page_referenced_file",
  [abi.FN_PAGE_MAPPING]: "page_mapping",
  [abi.FN_TEST_CLEAR_PAGE_WRITEBACK]: "test_clear_page_writeback",
  [abi.FN_END_PAGE_WRITEBACK]: "end_page_writeback",
  [abi.FN_DELETE_FROM_SWAP_CACHE]: "delete_from_swap_cache",
  [abi.FN_REMOVE_MAPPING]: "__remove_mapping",
};

/** Page flags, lower case as the kernel prints them. */
export const pageFlags = {
  locked: abi.PG_LOCKED,
  error: abi.PG_ERROR,
  referenced: abi.PG_REFERENCED,
  uptodate: abi.PG_UPTODATE,
  dirty: abi.PG_DIRTY,
  lru: abi.PG_LRU,
  active: abi.PG_ACTIVE,
  unevictable: abi.PG_UNEVICTABLE,
  mlocked: abi.PG_MLOCKED,
  swapbacked: abi.PG_SWAPBACKED,
  swapcache: abi.PG_SWAPCACHE,
  writeback: abi.PG_WRITEBACK,
  private: abi.PG_PRIVATE,
  private_2: abi.PG_PRIVATE_2,
  reserved: abi.PG_RESERVED,
  hwpoison: abi.PG_HWPOISON,
  head: abi.PG_HEAD,
  tail: abi.PG_TAIL,
  checked: abi.PG_CHECKED,
  mappedtodisk: abi.PG_MAPPEDTODISK,
  reclaim: abi.PG_RECLAIM,
  buddy: abi.PG_BUDDY,
  anon_exclusive: abi.PG_ANON_EXCLUSIVE,
  isolated: abi.PG_ISOLATED,
  memcg: abi.PG_MEMCG,
  memcg_migration: abi.PG_MEMCG_MIGRATION,
} as const;
export type PageFlag = keyof typeof pageFlags;

/** Counters: items of /proc/vmstat in the kernel's spelling, then probe counts. */
export const counters = {
  pgmigrate_success: abi.PGMIGRATE_SUCCESS,
  pgmigrate_fail: abi.PGMIGRATE_FAIL,
  pgalloc: abi.PGALLOC,
  pgfree: abi.PGFREE,
  pgfault: abi.PGFAULT,
  nr_anon_pages: abi.NR_ANON_PAGES,
  nr_file_mapped: abi.NR_FILE_MAPPED,
  nr_file_pages: abi.NR_FILE_PAGES,
  nr_shmem: abi.NR_SHMEM,
  nr_isolated_anon: abi.NR_ISOLATED_ANON,
  nr_isolated_file: abi.NR_ISOLATED_FILE,
  nr_mlock: abi.NR_MLOCK,
  nr_foll_pin_acquired: abi.NR_FOLL_PIN_ACQUIRED,
  nr_foll_pin_released: abi.NR_FOLL_PIN_RELEASED,
  pswpin: abi.PSWPIN,
  pswpout: abi.PSWPOUT,
  pgmajfault: abi.PGMAJFAULT,
  pgscan: abi.PGSCAN,
  pgsteal: abi.PGSTEAL,
  pgactivate: abi.PGACTIVATE,
  pgdeactivate: abi.PGDEACTIVATE,
  pgrotated: abi.PGROTATED,
  memcg_charged: abi.MEMCG_CHARGED,
  migratePagesCalls: abi.PROBE_MIGRATE_PAGES,
  migratePagesBatchCalls: abi.PROBE_MIGRATE_BATCH,
  tryToUnmapCalls: abi.PROBE_TRY_TO_UNMAP,
  ptesUnmapped: abi.PROBE_PTES_UNMAPPED,
  refcountChecks: abi.PROBE_REFCOUNT_CHECK,
  pagesCopied: abi.PROBE_PAGES_COPIED,
  removeMigrationPtes: abi.PROBE_REMOVE_MIGRATION_PTE,
  attempts: abi.PROBE_ATTEMPTS,
  targetsAllocated: abi.PROBE_TARGETS,
  offlineRounds: abi.PROBE_OFFLINE_ROUNDS,
  offlineRoundsSkipped: abi.PROBE_OFFLINE_SKIPPED,
  kvmUnmaps: abi.PROBE_KVM_UNMAP,
  callbackSuccesses: abi.PROBE_CALLBACK_SUCCESS,
  migrationFailureLines: abi.PROBE_LOG_MIGRATION_FAILED,
} as const;
export type CounterName = keyof typeof counters;

/** Actors of the explored clock. A vCPU is two: in guest mode, and before it enters that. */
export const actorKinds = {
  guest: abi.ACTOR_GUEST,
  entry: abi.ACTOR_ENTRY,
  kworker: abi.ACTOR_WORKER,
  migrator: abi.ACTOR_MIGRATOR,
  reclaimer: abi.ACTOR_RECLAIMER,
  "swap I/O": abi.ACTOR_IO,
  process: abi.ACTOR_PROCESS,
  pinner: abi.ACTOR_PINNER,
  reset: abi.ACTOR_RESET,
} as const;

/** enum migrate_mode by short name. */
export const migrationModes = {
  async: abi.MIGRATE_ASYNC,
  "sync-light": abi.MIGRATE_SYNC_LIGHT,
  sync: abi.MIGRATE_SYNC,
} as const;
export type MigrationMode = keyof typeof migrationModes;

export const migrateModes = ["MIGRATE_ASYNC", "MIGRATE_SYNC_LIGHT", "MIGRATE_SYNC"] as const;
export const migrateReasons = [
  "compaction",
  "memory_failure",
  "memory_hotplug",
  "syscall_or_cpuset",
  "mempolicy_mbind",
  "numa_misplaced",
  "cma",
  "longterm_pin",
] as const;

/** The names of a table, typed. */
export function namesIn<K extends string>(table: Readonly<Record<K, unknown>>): K[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tables here have no other keys
  return Object.keys(table) as K[];
}

/** A table with the same names and other values. */
export function mapTable<K extends string, V>(
  table: Readonly<Record<K, number>>,
  value: (id: number, name: K) => V,
): Record<K, V> {
  const entries = namesIn(table).map((name): [K, V] => [name, value(table[name], name)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries() forgets the keys
  return Object.fromEntries(entries) as Record<K, V>;
}

/** The name that a table has for a number. */
export function nameIn<K extends string>(table: Readonly<Record<K, number>>, value: number): K | undefined {
  return namesIn(table).find((name) => table[name] === value);
}

/** Name of a negative kernel code: errnoName(-11) is "EAGAIN". Null for 0 and above. */
export function errnoName(code: number): Errno | null {
  return code < 0 ? (nameIn(errnos, -code) ?? null) : null;
}

/** The number behind a name, positive. */
export function errnoNumber(name: Errno): number {
  return errnos[name];
}

export function isErrno(name: string): name is Errno {
  return Object.hasOwn(errnos, name);
}

export function functionName(fn: number): string {
  return functions[fn] ?? `function ${fn}`;
}

export function holderName(kind: number): HolderKind {
  const name = nameIn(holderKinds, kind);
  if (name === undefined) throw new Error(`holder kind ${kind} has no name`);
  return name;
}

export function crashName(kind: number): CrashKind {
  const name = nameIn(crashKinds, kind);
  if (name === undefined) throw new Error(`crash kind ${kind} has no name`);
  return name;
}

export function invariantName(id: number): Invariant {
  const name = nameIn(invariants, id);
  if (name === undefined) throw new Error(`invariant ${id} has no name`);
  return name;
}

export function flagNames(flags: number): PageFlag[] {
  return namesIn(pageFlags).filter((name) => (flags & pageFlags[name]) !== 0);
}
