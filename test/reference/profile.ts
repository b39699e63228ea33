/** What differs between the kernels. Times in ns. */
import { EFAULT, ENOENT } from "../../assembly/abi.ts";

const v3 = {
  lruBatch: 14,
  disablesLruBatches: false,
  faultActivates: true,
  anonExclusive: false,
  reusesByMapcount: true,
  waiterTakesRef: true,
  unmapsUnmappedPages: true,
  refusesUnmappedAnon: true,
  forcedFromPass: 3,
  migrateBatch: Infinity,
  unmapsBatchFirst: false,
  failCountsAgain: false,
  putsBackFailures: true,
  forgetsAnonMapping: true,
  chargesWhatIsMapped: true,
  sharedPagesAreDirty: false,
  movePagesChunk: 169,
  statusOfZeroPage: -ENOENT,
  statusOfUntouched: -ENOENT,
  findsProtNone: true,
  offlineBatch: 256,
  offlineTimeoutNs: 120e9,
  offlineRetries: 5,
  offlinePrefersOtherNodes: false,
  offlineTrustsMovable: true,
  countsBeforeBuffers: false,
  longtermNeedsUntracked: false,
};

export type Profile = typeof v3;

const v61: Profile = {
  lruBatch: 15,
  disablesLruBatches: true,
  faultActivates: false,
  anonExclusive: true,
  reusesByMapcount: false,
  waiterTakesRef: false,
  unmapsUnmappedPages: false,
  refusesUnmappedAnon: false,
  forcedFromPass: 3,
  migrateBatch: 512,
  unmapsBatchFirst: false,
  failCountsAgain: true,
  putsBackFailures: false,
  forgetsAnonMapping: false,
  chargesWhatIsMapped: false,
  sharedPagesAreDirty: true,
  movePagesChunk: Infinity,
  statusOfZeroPage: -EFAULT,
  statusOfUntouched: -EFAULT,
  findsProtNone: false,
  offlineBatch: Infinity,
  offlineTimeoutNs: Infinity,
  offlineRetries: Infinity,
  offlinePrefersOtherNodes: true,
  offlineTrustsMovable: false,
  countsBeforeBuffers: true,
  longtermNeedsUntracked: false,
};

const v612: Profile = {
  ...v61,
  lruBatch: 31,
  faultActivates: true,
  unmapsBatchFirst: true,
  statusOfUntouched: -ENOENT,
  findsProtNone: true,
  longtermNeedsUntracked: true,
};

export const profiles = { "v3.12": v3, "v6.1": v61, "v6.12": v612 } as const;
