import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXIT, Failure } from '../../src/errors.ts'
import type { Connection } from '../../src/provision/connections/connection.ts'
import { type Lock, lockHolder, releaseLock, takeLock } from '../../src/provision/reconcile/lock.ts'
import { waitFor } from '../../src/retry.ts'
import { failureOf } from '../provision/connections/failure-of.ts'
import { Bench, runs } from './engine/bench.ts'
import { lacks, storiesOfTheLab } from './here.ts'

storiesOfTheLab()

describe('the lock of a cluster', () => {
  let bench: Bench
  beforeAll(async () => {
    if (!lacks) bench = await Bench.open('engine-lock', 'trixie')
  })
  afterAll(() => bench?.close())

  const control = async () => [...(await bench.connect({ connectMs: 2_000 })).values()]
  const take = (on: Connection[], who: string, waitMs = 0) =>
    takeLock(on, { who, doing: 'cluster up', waitMs })

  test('of twenty who take it at once one gets it, and the others hear from whom', async () => {
    const all: Connection[][] = []
    for (let i = 0; i < 20; i++) {
      all.push(await control())
      await Promise.all(all[i]!.map(on => on.exec(['true'], { deadlineMs: 30_000 })))
    }
    for (let round = 1; round <= 2; round++) {
      const ends = await Promise.allSettled(all.map((on, i) => take(on, `op${i}@desk`)))
      const won = ends.flatMap((end, i) => (end.status === 'fulfilled' ? [{ i, lock: end.value }] : []))
      expect(won).toHaveLength(1)
      const lost = ends.flatMap(end => (end.status === 'rejected' ? [end.reason] : []))
      for (const failure of lost) expect(failure).toMatchObject({ exit: EXIT.locked })
      expect([...new Set(lost.map(failure => failure.message))]).toEqual([
        `op${won[0]!.i}@desk holds the lock of the cluster.`,
      ])
      expect(await lockHolder(all[0]!)).toMatchObject({ who: `op${won[0]!.i}@desk`, doing: 'cluster up' })
      expect(won[0]!.lock.number).toBe(round)
      await won[0]!.lock.release()
      expect(await lockHolder(all[0]!)).toBeUndefined()
    }
  })

  test('a majority is enough, and the number still grows', async () => {
    const on = await control()
    const first = await take(on, 'ada@laptop')
    await first.release()
    const n1 = bench.lab.node('n1')
    await n1.kill()
    const second = await take(await control(), 'ada@laptop')
    expect(second.number).toBe(first.number + 1)
    await second.release()
    await bench.lab.node('n2').kill()
    expect(await failureOf(take(await control(), 'ada@laptop'))).toMatchObject({
      exit: EXIT.unreachable,
      why: expect.stringMatching(/n1.*n2/s),
    })
    await n1.start()
    await bench.lab.node('n2').start()
    const third = await take(await control(), 'ada@laptop')
    expect(third.number).toBeGreaterThan(second.number)
    await third.release()
  })

  test('who waits gets it when it is given back, and who was told to stop waiting does not', async () => {
    const first = await take(await control(), 'ada@laptop')
    const stop = new AbortController()
    const waits: string[] = []
    const options = {
      doing: 'cluster up',
      waitMs: 60_000,
      onWait: (holder: { who: string }) => waits.push(holder.who),
    }
    const second = take2({ ...options, who: 'bob@desk' })
    const third = failureOf(take2({ ...options, who: 'eve@desk', signal: stop.signal }))
    await waitFor({ says: 'both to wait', deadlineMs: 20_000 }, () => (waits.length === 2 ? true : undefined))
    stop.abort()
    expect(await third).toMatchObject({ exit: EXIT.interrupted })
    await first.release()
    const lock = await second
    expect(waits).toEqual(['ada@laptop', 'ada@laptop'])
    expect(lock.number).toBe(first.number + 1)
    await lock.release()

    async function take2(o: Parameters<typeof takeLock>[1]): Promise<Lock> {
      return takeLock(await control(), o)
    }
  })

  test('a lock taken away by hand stops its holder', async () => {
    const on = await control()
    const lock = await take(on, 'ada@laptop')
    expect(await releaseLock(await control())).toMatchObject({ who: 'ada@laptop' })
    expect(await lockHolder(on)).toBeUndefined()
    await aborted(lock)
    expect(lock.signal.reason).toBeInstanceOf(Failure)
    expect(lock.signal.reason).toMatchObject({ exit: EXIT.locked, why: expect.stringContaining('by hand') })
    await lock.release()
  })

  test('who loses sight of the majority stops before another one can begin', async () => {
    const lock = await take(await control(), 'ada@laptop')
    const gone = [bench.lab.node('n1'), bench.lab.node('n2')]
    for (const node of gone) node.cut()
    await aborted(lock).finally(() => {
      for (const node of gone) node.heal()
    })
    const others = await failureOf(take(await control(), 'bob@desk'))
    expect(others).toMatchObject({ exit: EXIT.locked, message: 'ada@laptop holds the lock of the cluster.' })
    await lock.release()
    await (await take(await control(), 'bob@desk')).release()
  })

  test('the lock of a killed CLI is free within a minute', async () => {
    const cli = await bench.cli({ who: 'ada@laptop', steps: [runs('n1', 'sleep 1')] })
    await cli.event('locked')
    cli.signal('SIGKILL')
    const began = performance.now()
    const lock = await take(await control(), 'bob@desk', 60_000)
    expect(performance.now() - began).toBeLessThan(60_000)
    await lock.release()
  })

  test('a CLI that slept while another one took over changes nothing more', async () => {
    const steps = [runs('n1', 'sleep 1'), runs('n1', 'touch /root/by-the-sleeper')]
    const sleeper = await bench.cli({ who: 'ada@laptop', steps })
    await sleeper.event('begin')
    sleeper.signal('SIGSTOP')
    const works = [runs('n1', 'touch /root/by-the-other'), runs('n1', 'touch /root/at-work; sleep 10')]
    const other = await bench.cli({ who: 'bob@desk', steps: works, waitMs: 90_000 })
    await waitFor({ says: 'the other one to work', deadlineMs: 90_000, everyMs: 500 }, async () =>
      (await bench.says('n1', 'ls /root')).includes('at-work') ? true : undefined,
    )
    sleeper.signal('SIGCONT')
    expect(await sleeper.ended(), JSON.stringify(sleeper.events)).toBe(EXIT.locked)
    expect(JSON.stringify(sleeper.events)).toContain('bob@desk')
    expect(await other.ended(), JSON.stringify(other.events)).toBe(0)
    expect(await bench.says('n1', 'ls /root')).toBe('at-work\nby-the-other\n')
  })
})

const aborted = (lock: Lock) =>
  waitFor({ says: 'the lock to be lost', deadlineMs: 60_000 }, () => (lock.signal.aborted ? true : undefined))
