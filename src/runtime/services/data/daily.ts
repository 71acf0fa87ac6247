import { randomUUID } from 'node:crypto'
import type { ObjectStore } from './store/store.ts'

/**
 * Whether it falls to this instance to do `what` today (UTC): whoever is first to create the day's record. When that one dies over it, the
 * next day's does it, so it has to be something that may wait a day, and that two may do at once.
 */
export async function fallsToUs(store: ObjectStore, what: string, now = Date.now()): Promise<boolean> {
  const today = new Date(now).toISOString().slice(0, 10)
  const prefix = `daily/${what}/`
  const { created } = await store.create(prefix + today, Buffer.from('{}'), randomUUID())
  if (!created) return false
  for (const { name } of await store.list(prefix, { limit: 100 }))
    if (name < prefix + today) await store.delete(name)
  return true
}
