import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../../helpers/cluster.ts'
import { askMany, askOnce, memoryWhileAsking } from '../../../helpers/many-asks.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
}, 60_000)
afterAll(() => cluster?.stop(), 60_000)

test('of 200 questions at once each is answered or told to come back, and then the next one is answered', async () => {
  const asked = await Promise.all(Array.from({ length: 200 }, (_, i) => askOnce(cluster, i)))
  expect(asked.filter(a => a.status !== 200 && a.status !== 429)).toEqual([])
  expect(asked.filter(a => a.status === 200 && !a.body.answer)).toEqual([])
  expect(asked.filter(a => a.status === 429 && !(Number(a.retryAfter) > 0))).toEqual([])
  expect(asked.some(a => a.status === 200)).toBe(true)
  expect((await askOnce(cluster)).status).toBe(200)
})

test('thousands of questions leave no memory behind; test:long asks more', { timeout: 120_000 }, async () => {
  const looks = { looks: 20, asksBetween: 100, width: 4 }
  await askMany(cluster, { count: 500, width: 4 })
  const before = await memoryWhileAsking(cluster, looks)
  const after = await memoryWhileAsking(cluster, looks)
  // What stays of one request, if anything does, is tens of KiB: two thousand times that is far more.
  expect(after.heapMiB - before.heapMiB, JSON.stringify({ before, after })).toBeLessThan(15)
})
