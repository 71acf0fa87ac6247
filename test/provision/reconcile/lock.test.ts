import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EXIT, Failure } from '../../../src/errors.ts'
import type { Connection } from '../../../src/provision/connections/connection.ts'
import { lockHolder, releaseLock, takeLock } from '../../../src/provision/reconcile/lock.ts'
import { LEASE_SECONDS } from '../../../src/provision/reconcile/programs/lock.ts'
import { failureOf } from '../connections/failure-of.ts'
import { nodeHere, silentNode } from './here.ts'

const gone = (node: string) =>
  silentNode(node, new Failure(`${node} is not reached.`, { exit: EXIT.unreachable }))
const take = (on: Connection[], who: string) => takeLock(on, { who, doing: 'cluster up', waitMs: 0 })
const three = () => ['c1', 'c2', 'c3'].map(nodeHere)
const ways = (nodes: { connection: Connection }[]) => nodes.map(node => node.connection)

test('of many who take the lock at once one gets it, and the others hear from whom', async () => {
  const control = ways(three())
  const ends = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => take(control, `op${i}@desk`)))
  const won = ends.flatMap((end, i) => (end.status === 'fulfilled' ? [{ i, lock: end.value }] : []))
  expect(won).toHaveLength(1)
  const name = `op${won[0]!.i}@desk`
  for (const end of ends)
    if (end.status === 'rejected')
      expect(end.reason).toMatchObject({
        exit: EXIT.locked,
        message: `${name} holds the lock of the cluster.`,
      })
  expect(await lockHolder(control)).toMatchObject({ who: name, doing: 'cluster up' })
  await won[0]!.lock.release()
  expect(await lockHolder(control)).toBeUndefined()
})

test('each lock has a higher number than all before, whichever majority kept it', async () => {
  const [c1, c2, c3] = ways(three()) as [Connection, Connection, Connection]
  const numbers: number[] = []
  for (const control of [
    [c1, c2, gone('c3')],
    [gone('c1'), c2, c3],
    [c1, gone('c2'), c3],
    [c1, c2, c3],
  ]) {
    const lock = await take(control, 'ada@laptop')
    numbers.push(lock.number)
    await lock.release()
  }
  expect(numbers).toEqual([1, 2, 3, 4])
  const above = await takeLock([c1, c2, c3], { who: 'ada', doing: 'x', waitMs: 0, above: 41 })
  expect(above.number).toBe(42)
  await above.release()
})

test('without a majority there is no lock, and what was taken is given back', async () => {
  const [c1] = ways(three())
  const failure = await failureOf(take([c1!, gone('c2'), gone('c3')], 'ada@laptop'))
  expect(failure).toMatchObject({
    exit: EXIT.unreachable,
    why: 'c2: c2 is not reached.; c3: c3 is not reached.',
  })
  expect(await lockHolder([c1!])).toBeUndefined()
  expect(await failureOf(lockHolder([c1!, gone('c2')]))).toMatchObject({ exit: EXIT.unreachable })
})

test('a lease of another boot, or one that was not renewed for long, is free', async () => {
  const nodes = three()
  for (const spoil of [
    (text: string) => text.replace(/[0-9a-f-]{36}\n/, '00000000-0000-0000-0000-000000000000\n'),
    (text: string) => text.replace(/(\d+)\n$/, (_, s) => `${Math.max(0, Number(s) - LEASE_SECONDS - 1)}\n`),
  ]) {
    const lock = await take(ways(nodes), 'ada@laptop')
    expect(await failureOf(take(ways(nodes), 'bob@desk'))).toMatchObject({ exit: EXIT.locked })
    for (const { state } of nodes) {
      const lease = `${state}/lock/lease`
      writeFileSync(lease, spoil(readFileSync(lease, 'utf8')))
    }
    expect(await lockHolder(ways(nodes))).toBeUndefined()
    const next = await take(ways(nodes), 'bob@desk')
    expect(next.number).toBe(lock.number + 1)
    // Gives back its own only.
    await lock.release()
    expect(await lockHolder(ways(nodes))).toMatchObject({ who: 'bob@desk' })
    await next.release()
  }
})

test('a lock is taken away by hand, and words with line ends stay on their line', async () => {
  const control = ways(three())
  const lock = await takeLock(control, { who: 'a\nb', doing: 'up\n\n$(id) `id`', waitMs: 0 })
  expect(await lockHolder(control)).toMatchObject({ who: 'a b', doing: 'up $(id) `id`' })
  expect(await releaseLock(control)).toMatchObject({ who: 'a b' })
  expect(await releaseLock(control)).toBeUndefined()
  await lock.release()
})

test('asking who holds it writes nothing', async () => {
  const { connection, state } = nodeHere('c1')
  expect(await lockHolder([connection])).toBeUndefined()
  expect(() => readFileSync(`${state}/lock/guard`)).toThrow('ENOENT')
})
