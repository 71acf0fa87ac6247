import type { S3Config } from '../../../../../contracts/s3.ts'

type Fate = keyof S3Config['buckets']

/** What is not named here is data. */
const FATES: Record<string, Fate> = {
  ...of('tasks', 'idem', 'q', 'w', 'h', 'run', 'x', 'blob', 'dep', 'cron'),
  ...of('kb', 'kb'),
  ...of('sys', 'auth', 'sched', 'members', 'use'),
}

/** Apart, so that a record may have any name; the index of the knowledge base lies beside the records of kb, under a folder of its own. */
export const RECORDS = 'rec/'
export const BLOBS = 'blob/'

/** Where a record lies; a bucket holds what has the same fate, so that tasks that come and go do not slow what stays. */
export function placeOf(config: S3Config, name: string): { Bucket: string; Key: string } {
  const fate = FATES[name.split('/', 1)[0]!] ?? 'data'
  return { Bucket: config.buckets[fate], Key: RECORDS + name }
}

/** The buckets in which names with this prefix may lie. */
export function bucketsOf(config: S3Config, prefix: string): string[] {
  if (prefix.includes('/')) return [placeOf(config, prefix).Bucket]
  return [...new Set(Object.values(config.buckets))]
}

function of(fate: Fate, ...segments: string[]): Record<string, Fate> {
  return Object.fromEntries(segments.map(segment => [segment, fate]))
}
