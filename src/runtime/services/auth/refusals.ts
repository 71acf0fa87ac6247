import { Refusal } from '../../refusal.ts'

export const notLoaded = () =>
  new Refusal(503, 'loading', 'The keys are not loaded yet.', {
    next: 'Try again in a moment.',
    retryAfterSeconds: 1,
    nothingBegun: true,
  })

export const storeAway = (why: string, cause?: unknown) =>
  new Refusal(503, 'store_away', `The store is away, so nothing new can be kept: ${why}.`, {
    next: 'Try again in a moment; `llmagentos cluster status` says what is down.',
    retryAfterSeconds: 2,
    cause,
  })

/** What an operator is told meanwhile. */
export const withoutStore = (by: 'copy' | 'replicas') => {
  const source = by === 'copy' ? 'the last copy on disk' : 'what the other instances hold'
  return `The store is away: keys are checked by ${source}, new keys and users are refused.`
}
