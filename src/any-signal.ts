/**
 * Aborts when the first of `signals` does. `AbortSignal.any` alone holds its sources weakly, so that on Node 20 a deadline made for it alone
 * (`AbortSignal.timeout`) is collected with the garbage and never comes: nodejs/node#57736.
 */
export function anySignal(signals: AbortSignal[]): AbortSignal {
  const either = AbortSignal.any(signals)
  sources.set(either, signals)
  return either
}

/** As long as somebody listens to the one, the others live. */
const sources = new WeakMap<AbortSignal, AbortSignal[]>()
