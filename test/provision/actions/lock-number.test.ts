import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EXIT, Failure } from '../../../src/errors.ts'
import { withLock } from '../../../src/provision/actions/up.ts'
import type { Connection } from '../../../src/provision/connections/connection.ts'
import { fence, highestFence } from '../../../src/provision/reconcile/fence.ts'
import { nodeHere, silentNode } from '../reconcile/here.ts'

const off = silentNode('w2', new Failure('w2 is not reached.', { exit: EXIT.unreachable }))

/** Takes the lock, raises all fences to its number, and gives it back. */
async function lockOn(control: string[], connections: Connection[]): Promise<number> {
  const o = {
    connections: new Map(connections.map(on => [on.node, on])),
    who: 'ada@laptop',
    lockWaitMs: 0,
    onEvent: () => undefined,
  }
  return withLock(
    o,
    { control: control.map(name => ({ name })) as never, doing: 'cluster up' },
    async lock => {
      await fence(
        connections.filter(on => on !== off),
        lock.number,
        { deadlineMs: 5_000 },
      )
      return lock.number
    },
  )
}

test('after the control nodes lost what they knew, the number of the lock is above the fence of every node', async () => {
  const control = ['c1', 'c2', 'c3'].map(nodeHere)
  const worker = nodeHere('w1')
  const nodes = [...control, worker]
  const connections = nodes.map(node => node.connection)
  mkdirSync(worker.state)
  writeFileSync(`${worker.state}/fence`, '41\n')
  expect(await lockOn(['c1', 'c2', 'c3'], [...connections, off])).toBe(42)
  for (const { state } of nodes) expect(readFileSync(`${state}/fence`, 'utf8')).toBe('42\n')
  for (const { state } of control) rmSync(state, { recursive: true })
  expect(await lockOn(['c1', 'c2', 'c3'], connections)).toBe(43)
})

test('nodes that do not answer, or know nothing, have no fence to be above of', async () => {
  const { connection, state } = nodeHere('n1')
  expect(await highestFence([connection, off])).toBe(0)
  mkdirSync(state)
  writeFileSync(`${state}/fence`, 'half')
  expect(await highestFence([connection])).toBe(0)
  writeFileSync(`${state}/fence`, '7\n')
  expect(await highestFence([off, connection])).toBe(7)
})
