import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { askMany, memoryWhileAsking } from '../helpers/many-asks.ts'

const WARM_UP = 1_000
const ASKS = 10_000
/** One KiB that stays of each question would be ten times this. */
const MOST_MIB = 10
/** Allocators keep what was once needed, in steps of some MiB. */
const MOST_NATIVE_MIB = 40

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
}, 60_000)
afterAll(() => cluster?.stop(), 60_000)

test('ten thousand questions leave no memory behind', { timeout: 1_800_000 }, async () => {
  const looks = { looks: 30, asksBetween: 100, width: 4 }
  await askMany(cluster, { count: WARM_UP, width: 4 })
  const before = await memoryWhileAsking(cluster, looks)
  const statuses = await askMany(cluster, { count: ASKS, width: 4 })
  const after = await memoryWhileAsking(cluster, looks)
  process.stdout.write(
    `heap ${before.heapMiB} -> ${after.heapMiB} MiB, beside it ${before.nativeMiB} -> ${after.nativeMiB} MiB over ${ASKS} questions\n`,
  )
  expect(statuses).toEqual({ 200: ASKS })
  expect(after.heapMiB - before.heapMiB).toBeLessThan(MOST_MIB)
  expect(after.nativeMiB - before.nativeMiB).toBeLessThan(MOST_NATIVE_MIB)
})
