import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { silent } from '../../../../src/log.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { Refusal } from '../../../../src/runtime/refusal.ts'
import { Child } from '../../../../src/runtime/services/executor/child-process.ts'
import { Children } from '../../../../src/runtime/services/executor/children.ts'
import { sealOlderBoots } from '../../../../src/runtime/services/executor/older-boots.ts'
import { hear } from '../../../../src/runtime/tasks/events.ts'
import { Fence } from '../../../../src/runtime/tasks/fence.ts'
import { queuedName } from '../../../../src/runtime/tasks/names.ts'
import { tempFolder } from '../../../helpers/temp.ts'

import { setUp } from './set-up.ts'

test('a task runs in a child that has no environment and no arguments of ours', async () => {
  const s = await setUp()
  const { task, end } = await s.run('echo', { params: { a: 1 } })
  expect(end.outcome).toBe('done')
  const result = end.result as { env: string[]; argv: string[] }
  expect(result).toMatchObject({ params: { a: 1 }, id: task.id, attempt: 1, argv: [] })
  expect(result.env.filter(name => !name.startsWith('NODE_CHANNEL'))).toEqual([])
  await vi.waitFor(() => expect(s.said).toEqual(['at it']))
  expect(s.records.names('h/').length).toBe(1)
  expect(s.records.names('run/')).toEqual([])
})

test('a result too large for a record needs the data service; without it the attempt is tried again', async () => {
  const s = await setUp()
  const { end } = await s.run('large')
  expect(end).toMatchObject({
    outcome: 'retry',
    counts: 'errors',
    reason: expect.stringMatching(/data service/),
  })
})

test('a warm child is used again; after a crash the next task has a new one', async () => {
  const s = await setUp()
  const pids: unknown[] = []
  for (const kind of ['pid', 'pid', 'exit', 'pid']) pids.push((await s.run(kind)).end.result)
  expect(pids[0]).toEqual(pids[1])
  expect(pids[3]).not.toEqual(pids[1])
})

test('the death of a child ends exactly its attempt, as a retry that says the signal', async () => {
  const s = await setUp()
  const victim = await s.put({ kind: 'polite', params: {} })
  const running = s.deliver(victim)
  await s.begun(victim)
  const other = s.run('echo')
  process.kill(s.pid(), 'SIGKILL')
  await running
  expect(s.endOf(victim)).toMatchObject({
    outcome: 'retry',
    counts: 'crashed',
    reason: 'crashed, signal SIGKILL',
  })
  expect((await other).end.outcome).toBe('done')
  expect(s.records.names('w/').length).toBe(1)
})

test('a child that ends by itself crashed, and the third time its task is dead', async () => {
  const s = await setUp()
  expect((await s.run('exit')).end).toMatchObject({ outcome: 'retry', reason: 'crashed, exit code 3' })
  const { end } = await s.run('exit', { attempt: 3, tries: { crashed: 2, errors: 0, lost: 0 } })
  expect(end).toMatchObject({ outcome: 'dead', reason: 'crashed, exit code 3; that was 3 times' })
})

test('a child that takes too much memory dies alone', async () => {
  const s = await setUp()
  const { end } = await s.run('memory')
  expect(end.outcome).toBe('retry')
  expect(end.reason).toMatch(/^crashed, .*out of memory/)
  expect((await s.run('echo')).end.outcome).toBe('done')
})

test('an error is tried again, at most three times; a clear refusal ends the task', async () => {
  const s = await setUp()
  expect((await s.run('throw')).end).toMatchObject({
    outcome: 'retry',
    counts: 'errors',
    reason: 'a fault of the kind',
  })
  expect((await s.run('throw', { tries: { crashed: 0, errors: 2, lost: 0 } })).end.outcome).toBe('failed')
  expect((await s.run('refuse')).end).toMatchObject({
    outcome: 'failed',
    reason: 'It cannot be done. Do without.',
  })
  expect((await s.run('nothing-like-it')).end).toMatchObject({ outcome: 'failed' })
})

for (const kind of ['polite', 'deaf', 'busy'])
  test(`a cancel ends a child that is ${kind}, and its result is void`, async () => {
    const s = await setUp()
    const task = await s.put({ kind, params: {} })
    const running = s.deliver(task)
    await s.begun(task)
    const fence = new Fence(s.records)
    const end = { outcome: 'cancelled', at: Date.now() } as const
    await fence.stop(task, { by: { executor: 'task-service', boot: '' }, waiting: false, end }, ownHop())
    s.supervisor.sealed(task)
    await running
    expect(s.endOf(task)?.outcome).toBe('cancelled')
    expect(s.records.names('h/')[0]).toMatch(/\.cancelled$/)
    expect(s.supervisor.running).toEqual([])
    expect((await s.run('echo')).end.outcome).toBe('done')
  })

test('a cancel that comes while the child starts lets the task not begin, and keeps the child for the next', async () => {
  const s = await setUp()
  const task = await s.put({ kind: 'deaf', params: {} })
  await hear(s.bus, 'claimed', a => s.supervisor.sealed(a))
  await s.deliver(task)
  expect(s.said).toEqual([])
  expect(s.children.pids).toHaveLength(1)
  expect(s.supervisor.running).toEqual([])
})

test('children that start while all are ended do not outlive it', async () => {
  const s = await setUp()
  const taken = s.children.take()
  s.children.stop()
  await expect(taken).rejects.toThrow(/stopped/)
  expect(s.children.pids).toEqual([])
})

test('a task whose time is over while it runs is expired', async () => {
  const s = await setUp()
  const { end } = await s.run('deaf', { expires: Date.now() + 1500 })
  expect(end).toMatchObject({ outcome: 'expired' })
})

test('a task whose time was over before is not run', async () => {
  const s = await setUp()
  const { end } = await s.run('polite', { expires: Date.now() - 1 })
  expect(end.outcome).toBe('expired')
  expect(s.children.pids).toEqual([])
})

test('a stop gives back what runs, and it counts as lost', async () => {
  const s = await setUp()
  const task = await s.put({ kind: 'deaf', params: {} })
  const running = s.deliver(task)
  await s.begun(task)
  s.supervisor.stop()
  await running
  expect(s.endOf(task)).toMatchObject({ outcome: 'lost', reason: 'its executor was stopped' })
  expect(s.records.names('q/')).toEqual([queuedName({ ...task, attempt: 2 })])
})

test('a revoked key ends the task as failed; auth being away costs no attempt', async () => {
  const s = await setUp()
  s.auth.refusal = new Refusal(401, 'revoked_key', 'The key was revoked.')
  expect((await s.run('echo')).end).toMatchObject({
    outcome: 'failed',
    reason: expect.stringMatching(/The key was revoked/),
  })
  s.auth.refusal = new Refusal(503, 'store_away', 'Not loaded yet.')
  const task = await s.put({ kind: 'echo', params: {} })
  expect(await s.deliver(task)).toBe('back')
  expect(s.endOf(task)).toBeUndefined()
  expect(s.records.names('run/')).toEqual([])
})

test('a key that is revoked while its task runs ends the task', async () => {
  const s = await setUp()
  s.auth.lives = 1_000
  const task = await s.put({ kind: 'polite', params: {} })
  const running = s.deliver(task)
  await s.begun(task)
  s.auth.refusal = new Refusal(401, 'revoked_key', 'The key was revoked.')
  await running
  expect(s.endOf(task)).toMatchObject({
    outcome: 'failed',
    reason: expect.stringMatching(/The key was revoked/),
  })
})

test('a token that arrives after its attempt ended never reaches the next task of that child', async () => {
  const s = await setUp()
  const renewed = vi.spyOn(Child.prototype, 'renew')
  onTestFinished(() => renewed.mockRestore())
  s.auth.lives = 1_000
  const file = join(tempFolder(), 'go-on')
  const first = s.run('until', { params: { file }, user: 'ann' })
  await vi.waitFor(() => expect(s.auth.given).toBe(1), 20_000)
  let release = () => {}
  s.auth.hold = new Promise(resolve => {
    release = resolve
  })
  await vi.waitFor(() => expect(s.auth.asked).toBe(2), 20_000)
  writeFileSync(file, '')
  await first
  release()
  await s.run('pid', { user: 'ben' })
  expect(s.auth.given).toBe(3)
  expect(renewed).not.toHaveBeenCalled()
})

test('a second message for the same task does nothing', async () => {
  const s = await setUp()
  const task = await s.put({ kind: 'echo', params: {} })
  expect(await Promise.all([s.deliver(task), s.deliver(task)])).toEqual(['ack', 'ack'])
  expect(await s.deliver(task)).toBe('ack')
  await vi.waitFor(() => expect(s.said).toEqual(['at it']))
})

test('what names no task is put away', async () => {
  const s = await setUp()
  const odd = s.supervisor.deliver({ id: 'x', body: { name: 'auth/keys' }, deliveries: 1 })
  expect(await odd).toEqual({ dead: 'it names no task record' })
})

test('a start seals at once what an older boot of the same executor had, and nothing of others', async () => {
  const s = await setUp()
  const fence = new Fence(s.records)
  const [mine, other, now] = [await s.put({}), await s.put({}), await s.put({})]
  await fence.claim(queuedName(mine), { executor: 'local', boot: 'boot-1' }, ownHop())
  await fence.claim(queuedName(other), { executor: 'elsewhere', boot: 'boot-1' }, ownHop())
  await fence.claim(queuedName(now), { executor: 'local', boot: 'boot-2' }, ownHop())
  expect(await sealOlderBoots({ ...s.identity, records: s.records, bus: s.bus, log: silent })).toBe(1)
  expect(s.endOf(mine)).toMatchObject({ outcome: 'lost' })
  expect([s.endOf(other), s.endOf(now)]).toEqual([undefined, undefined])
  expect(s.records.names('q/')).toContain(queuedName({ ...mine, attempt: 2 }))
})

test('an idle child is retired, and a program that cannot start is a crash', async () => {
  const s = await setUp()
  const brief = new Children({ program: s.program, memoryMb: 64, log: silent, idleMs: 1 })
  const child = await brief.take()
  brief.give(child)
  await vi.waitFor(() => expect(child.dead).toBe(true))
  expect(brief.pids).toEqual([])
  const none = new Children({ program: join(tempFolder(), 'none.mjs'), memoryMb: 64, log: silent })
  await expect(none.take()).rejects.toThrow(/ended at its start/)
})
