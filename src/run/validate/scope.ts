/** What of a recording is replayed and compared, what is not, and why. */

/** Features a case may need and still be replayed. Every other need makes it "not modelled". */
export const supportedNeeds: readonly string[] = [
  "offline",
  "timed",
  "fork",
  "longterm",
  "file",
  "writeback",
  "swap",
  "ksm",
];

/** Every operation of the recordings' format. */
export const operations = [
  "map",
  "hugetlbPool",
  "read",
  "write",
  "fork",
  "exit",
  "unmap",
  "discard",
  "protect",
  "mlock",
  "ksmMerge",
  "pin",
  "unpin",
  "movePages",
  "movePagesUntil",
  "mbind",
  "migratePages",
  "fill",
  "swapOn",
  "swapOff",
  "pageout",
  "evictSwapCache",
  "swapin",
  "writeback",
  "onlineMovable",
  "online",
  "offline",
  "compact",
  "wait",
  "timeCalls",
  "touchWhileMoving",
  "kvmProbe",
  "guestCreate",
  "guestRun",
  "guestMoveWhileRunning",
  "guestRunWhileMoving",
  "guestDestroy",
] as const;

export const regionKindNames = [
  "anon",
  "anon-shared",
  "vdso",
  "tmpfs",
  "file-rootfs",
  "file-blockdev",
  "file-text",
  "hugetlb",
  "thp",
] as const;

/** How an observed field is compared. */
export type FieldKind =
  | "value" // a number, a string, true, false or null
  | "counts" // numbers by name; a name that is missing counts 0
  | "vmstat" // the same, for the counters that are modelled
  | "statuses" // the status array of move_pages(2)
  | "histogram" // records with `times` or `folios`, in any order
  | "events" // the mm_migrate_pages tracepoint
  | "samples" // what pagemap, kpageflags and kpagecount said of sample pages
  | "frame" // firstPinnedPage
  | "log" // messages of the kernel
  | "writer" // how the process that wrote "offline" ended
  | "order"; // times, of which only the order is compared

export const fieldKinds: Readonly<Record<string, FieldKind>> = {
  ret: "value",
  errno: "value",
  status: "statuses",
  statusCounts: "counts",
  vmstat: "vmstat",
  tryToMigrateCalls: "value",
  tryToUnmapCalls: "value",
  refcountChecks: "value",
  ptesUnmapped: "value",
  pagesCopied: "value",
  migratePagesCalls: "value",
  migratePagesBatchCalls: "value",
  refcountCheckReturns: "counts",
  moveToNewFolioReturns: "counts",
  moveToNewPageReturns: "counts",
  isolateReturns: "counts",
  tryToUnmapReturns: "counts",
  migratePagesReturns: "counts",
  batches: "counts",
  refsAtTryToMigrate: "histogram",
  refsAtTryToUnmap: "histogram",
  refsAtRefcountCheck: "histogram",
  attemptsPerFolio: "histogram",
  migratePagesEvents: "events",
  migratePagesEventsTraced: "value",
  whereAfter: "counts",
  samplePagesBefore: "samples",
  samplePagesAfter: "samples",
  firstPinnedPage: "frame",
  dataCorruptPages: "value",
  rounds: "value",
  stateAfter: "value",
  writerExit: "writer",
  logLines: "log",
  pinned: "value",
  pages: "value",
  basePagesPerPinnedFolio: "value",
  unpinnedSwapped: "value",
  pinnedSwapped: "value",
  calls: "value",
  failedCalls: "value",
  firstRet: "value",
  lastRet: "value",
  moveCalls: "value",
  ret0: "value",
  retNonzero: "value",
  retPositive: "value",
  retNegative: "value",
  toucherMinorFaults: "value",
  ioStillInFlightAtEnd: "value",
  pagesShared: "value",
  pagesSharing: "value",
  timing: "order",
};

/** Observed fields that have nothing to be compared with. */
export const fieldsNotCompared: Readonly<Record<string, string>> = {
  migratePagesEventsListed: "says where the recorder cut its list",
  traceTruncated: "says that the recorder's ring was full",
  toucherOps: "counts how fast the emulator runs a loop",
  nodeFreeKbBefore: "sets how much memory is free before the call",
  nodeFreeKbAfter: "sets how much memory the kernel keeps free",
  readRet: "is what read(2) returned, and I/O is not modelled",
  timeDependent: "names fields",
  uncontrolled: "names fields",
  relations: "are evaluated",
};

/** Counters of /proc/vmstat that are not modelled, by prefix. Any other one that is not modelled stays 0. */
export const vmstatNotModelled: readonly { readonly prefix: string; readonly reason: string }[] = [
  { prefix: "compact_", reason: "kcompactd, which any allocation may wake, is not modelled" },
  { prefix: "pgscan_", reason: "kswapd and direct reclaim are not modelled" },
  { prefix: "pgsteal_", reason: "kswapd and direct reclaim are not modelled" },
  { prefix: "allocstall_", reason: "kswapd and direct reclaim are not modelled" },
  { prefix: "kswapd_", reason: "kswapd and direct reclaim are not modelled" },
  { prefix: "numa_", reason: "NUMA hints are off in the recordings and not modelled" },
];

/** Page flags that do not depend on when LRU batches were drained. */
export const comparedFlags: ReadonlySet<string> = new Set([
  "ANON",
  "SWAPBACKED",
  "SWAPCACHE",
  "MLOCKED",
  "UNEVICTABLE",
  "THP",
  "HUGE",
  "COMPOUND_HEAD",
  "COMPOUND_TAIL",
  "ZERO_PAGE",
  "WRITEBACK",
  "PRIVATE",
  "ANON_EXCLUSIVE",
  "KSM",
]);

/** A difference that is known and has a reason: it does not make a case disagree. */
export interface Deviation {
  readonly id: string;
  readonly reason: string;
  /** `what` is the compared value, `observed` what the recording holds beside it. */
  readonly applies: (what: string, observed: Readonly<Record<string, unknown>>) => boolean;
}

/** docs/model.md has the same list. */
export const deviations: readonly Deviation[] = [
  {
    id: "entry-probe-off",
    reason:
      "The recording contradicts itself: the probe at the entry of try_to_unmap() was off in that run, so " +
      "tryToUnmapCalls is 0 beside the returns that the return probe of the same function counted.",
    applies: (what, { tryToUnmapCalls, tryToUnmapReturns }) =>
      what === "tryToUnmapCalls" &&
      tryToUnmapCalls === 0 &&
      typeof tryToUnmapReturns === "object" &&
      Object.keys(tryToUnmapReturns ?? {}).length > 0,
  },
];
