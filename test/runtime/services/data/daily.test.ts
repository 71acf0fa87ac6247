import { expect, test } from 'vitest'
import { fallsToUs } from '../../../../src/runtime/services/data/daily.ts'
import { memoryStore } from '../../../helpers/memory-store.ts'

test('of all instances one does what is to be done each day, and old days leave no record', async () => {
  const store = memoryStore()
  const day = 24 * 60 * 60_000
  for (let n = 0; n < 5; n++) {
    const now = Date.UTC(2026, 0, 1) + n * day
    const turns = await Promise.all([1, 2, 3].map(() => fallsToUs(store, 'sweep', now)))
    expect(turns.filter(Boolean)).toHaveLength(1)
    expect(await fallsToUs(store, 'sweep', now + day / 2)).toBe(false)
  }
  expect(await store.list('daily/', { limit: 10 })).toHaveLength(1)
})
