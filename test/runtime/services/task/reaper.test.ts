import { beforeEach, expect, test } from 'vitest'
import { silent } from '../../../../src/log.ts'
import { inProcessBus } from '../../../../src/runtime/bus/in-process.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { Executors } from '../../../../src/runtime/services/task/executors.ts'
import type { Parts } from '../../../../src/runtime/services/task/parts.ts'
import { Reaper } from '../../../../src/runtime/services/task/reaper.ts'
import { Fence } from '../../../../src/runtime/tasks/fence.ts'
import { endName, queuedName } from '../../../../src/runtime/tasks/names.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { MemoryRecords } from '../../../helpers/memory-records.ts'
import { taskRecord } from '../../../helpers/task-record.ts'

const hop = ownHop(60_000)
let now = 0
let records: MemoryRecords
let fence: Fence
let executors: Executors
let reaper: Reaper

beforeEach(() => {
  now = 1_000
  records = new MemoryRecords()
  fence = new Fence(records)
  executors = new Executors(() => now)
  const parts: Parts = {
    ...{ records, fence, log: silent, bus: inProcessBus(), kinds: new Map() },
    calls: new Calls('task', {}),
  }
  reaper = new Reaper({ ...parts, executors, now: () => now })
})

async function running(executor: string) {
  const task = taskRecord()
  await records.create(queuedName(task), task)
  await fence.claim(queuedName(task), { executor, boot: 'b' }, hop)
  const beat = () => executors.beat({ executor, boot: 'b', slots: { llm: 1 }, running: [task] })
  return { task, beat, sealed: () => records.stored.has(endName(task)) }
}

test('what is silent for thirty seconds is lost, and its next attempt is queued', async () => {
  const { task, sealed } = await running('a')
  await reaper.look()
  now += 29_000
  await reaper.look()
  expect(sealed()).toBe(false)
  now += 2_000
  await reaper.look()
  expect(sealed()).toBe(true)
  expect(records.names('q/')).toEqual([queuedName({ ...task, attempt: 2 })])
  expect(records.names('run/')).toEqual([])
})

test('what is reported stays, however long it runs', async () => {
  const { beat, sealed } = await running('a')
  for (let i = 0; i < 100; i++) {
    beat()
    await reaper.look()
    now += 5_000
  }
  expect(sealed()).toBe(false)
})

test('an attempt that is first seen now has thirty seconds, however old its claim is', async () => {
  now = 10_000_000
  const { sealed } = await running('a')
  await reaper.look()
  expect(sealed()).toBe(false)
})

test('when three executors of nine fall silent together it waits once more, then seals', async () => {
  const runs = await Promise.all('abcdefghi'.split('').map(running))
  await reaper.look()
  const rest = runs.slice(3)
  for (let at = 0; at < 40; at += 5) {
    now += 5_000
    for (const r of rest) r.beat()
    await reaper.look()
  }
  expect(runs.filter(r => r.sealed()).length).toBe(0)
  for (let at = 0; at < 40; at += 5) {
    now += 5_000
    for (const r of rest) r.beat()
    await reaper.look()
  }
  expect(runs.map(r => r.sealed())).toEqual([true, true, true, false, false, false, false, false, false])
})

test('one executor of one is not a common silence', async () => {
  const { sealed } = await running('a')
  await reaper.look()
  now += 31_000
  await reaper.look()
  expect(sealed()).toBe(true)
})

test('what ended but was not completed is completed at the next look', async () => {
  const { task } = await running('a')
  await fence.end(task, { outcome: 'done', at: 1 }, hop)
  await reaper.look()
  expect(records.names('q/')).toEqual([])
  expect(records.names('run/')).toEqual([])
  expect(records.names('h/').length).toBe(1)
})

test('the tenth loss is the death of the task', async () => {
  const task = taskRecord({ tries: { crashed: 0, errors: 0, lost: 9 } })
  await records.create(queuedName(task), task)
  await fence.claim(queuedName(task), { executor: 'a', boot: 'b' }, hop)
  await reaper.look()
  now += 31_000
  await reaper.look()
  expect(records.names('h/')[0]).toMatch(/\.dead$/)
})
