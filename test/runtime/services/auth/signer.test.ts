import { expect, onTestFinished, test } from 'vitest'
import { silent } from '../../../../src/log.ts'
import { waitFor } from '../../../../src/retry.ts'
import { FeedLog } from '../../../../src/runtime/services/auth/feed-log.ts'
import { Ledger } from '../../../../src/runtime/services/auth/ledger.ts'
import { Signer } from '../../../../src/runtime/services/auth/signer.ts'
import { MemoryRecords } from '../../../helpers/memory-records.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const HOUR = 3_600_000

test('each signing key was published a day before its first use, and until well after its last', async () => {
  const records = new MemoryRecords()
  const ledger = new Ledger({ records, stateFolder: tempFolder(), log: silent })
  const signer = new Signer(ledger, silent)
  onTestFinished(() => ledger.stop(0))
  await ledger.start(() => signer.tend())

  const start = Date.now()
  const seen = new Map<string, number>()
  const used: string[] = []
  for (let now = start; now < start + 100 * HOUR; now += HOUR / 60) {
    await signer.tend(now)
    const published = signer.published(now).map(k => String(k.kid))
    for (const kid of published) if (!seen.has(kid)) seen.set(kid, now)
    const { kid } = await signer.current(now)
    if (used.at(-1) !== kid) used.push(kid)
    expect(published).toContain(kid)
    // A token signed a minute ago by the key before.
    const { kid: before } = await signer.current(now - 60_000)
    expect(published).toContain(before)
    if (used.length > 1 && used.at(-1) === kid) expect(now - seen.get(kid)!).toBeGreaterThan(0)
  }
  expect(used.length).toBe(5)
  expect(new Set(used).size).toBe(5)
  // Those that nobody needs any more are gone from the store.
  expect(records.names('auth/signing/').length).toBeLessThanOrEqual(4)
  expect(JSON.stringify(signer.published())).not.toContain('"d"')
})

test('a store that is away delays the next signing key and nothing else', async () => {
  const records = new MemoryRecords()
  const ledger = new Ledger({ records, stateFolder: tempFolder(), log: silent })
  const signer = new Signer(ledger, silent)
  onTestFinished(() => ledger.stop(0))
  await ledger.start(() => signer.tend())
  records.before = () => {
    throw new Error('away')
  }
  const later = Date.now() + 48 * HOUR
  await expect(signer.tend(later)).rejects.toMatchObject({ status: 503 })
  expect((await signer.current(later)).kid).toBe(signer.published(later).at(-1)!.kid)
  records.before = undefined
  await signer.tend(later)
  await waitFor({ says: 'the next key', deadlineMs: 5_000 }, () =>
    signer.published(later).length > 1 ? true : undefined,
  )
})

test('the feed tells what is new, everything to whoever knows another boot, and stays small', () => {
  const log = new FeedLog()
  const all = () => ['a', 'b']
  const first = log.since({}, all)
  expect(first).toMatchObject({ version: 0, revoked: ['a', 'b'], changed: [] })
  log.revoked(['c'])
  log.changed(['d', 'e'])
  const known = { boot: first.boot, after: first.version }
  expect(log.since(known, all)).toMatchObject({ version: 2, revoked: ['c'], changed: ['d', 'e'] })
  expect(log.since({ boot: first.boot, after: 1 }, all)).toMatchObject({ revoked: [], changed: ['d', 'e'] })
  expect(log.since({ boot: first.boot, after: 2 }, all)).toMatchObject({ revoked: [], changed: [] })
  for (let i = 0; i < 10_001; i++) log.changed([`k${i}`])
  const later = log.since(known, all)
  expect(later.boot).not.toBe(first.boot)
  expect(later.revoked).toEqual(['a', 'b'])
  expect(later.changed.length).toBeLessThan(100)
})
