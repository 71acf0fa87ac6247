/** Where a node keeps what the reconciler knows of it; root's alone (0700). */
export const STATE = '/var/lib/llmagentos'
export const MANIFEST = `${STATE}/manifest`
export const BEFORE = `${STATE}/before`
export const JOURNAL = `${STATE}/journal.ndjson`
export const FENCE = `${STATE}/fence`
export const LOCK = `${STATE}/lock`
/** Steps that run or whose end was not read yet; on tmpfs, because inputs may be secret. */
export const STEPS = '/run/llmagentos/steps'
/** Uploads, by digest. */
export const CACHE = '/var/cache/llmagentos'
export const UNIT = 'llmagentos-step-'

/** Exit codes of the programs, beside 0 (it said what it had to say) and 1 (it could not, and standard error tells why). */
export const FENCED = 97
export const INCOMPLETE = 98
