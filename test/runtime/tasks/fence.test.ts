import { expect, test } from 'vitest'
import { ownHop } from '../../../src/runtime/hop.ts'
import { Fence } from '../../../src/runtime/tasks/fence.ts'
import { unfinished } from '../../../src/runtime/tasks/limits.ts'
import { endName, queuedName, readWaiting, runName } from '../../../src/runtime/tasks/names.ts'
import type { ClaimRecord, EndRecord, TaskRecord } from '../../../src/runtime/tasks/records.ts'
import { MemoryRecords } from '../../helpers/memory-records.ts'
import { taskRecord } from '../../helpers/task-record.ts'

const hop = ownHop(60_000)
const by = { executor: 'x', boot: 'b' }
const done: EndRecord = { outcome: 'done', at: 1, result: { answer: 42 } }
const claimOf = (task: TaskRecord): ClaimRecord => ({ ...by, user: task.user, priority: task.priority })

async function queued(given: Partial<TaskRecord> = {}) {
  const records = new MemoryRecords()
  const task = taskRecord(given)
  await records.create(queuedName(task), task)
  return { records, task, fence: new Fence(records), name: queuedName(task) }
}

test('one of two executors claims, the other finds it taken', async () => {
  const { fence, name, task } = await queued()
  const both = await Promise.all([fence.claim(name, by, hop), fence.claim(name, by, hop)])
  expect(both).toContainEqual({ is: 'claimed', task })
  expect(both).toContainEqual({ is: 'taken' })
})

test('a late message for an attempt that has ended does not run it again, and clears what it left', async () => {
  const { fence, name, task, records } = await queued()
  await fence.claim(name, by, hop)
  await fence.end(task, done, hop)
  await fence.complete(task, claimOf(task), hop)
  expect(await fence.claim(name, by, hop)).toEqual({ is: 'gone' })
  // A slow completer of an older attempt may write the record again.
  await records.create(name, task)
  expect(await fence.claim(name, by, hop)).toEqual({ is: 'ended' })
  expect(records.names('q/')).toEqual([])
  expect(records.names('run/')).toEqual([])
  expect(records.names('h/').length).toBe(1)
})

test('who ends an attempt second is told so, and the first end stays', async () => {
  const { fence, name, task } = await queued()
  await fence.claim(name, by, hop)
  expect(await fence.end(task, { outcome: 'cancelled', at: 1 }, hop)).toBe('ended')
  expect(await fence.end(task, done, hop)).toBe('sealed')
  expect(await fence.ended(task, hop)).toMatchObject({ outcome: 'cancelled' })
})

test('a final end leaves history without the result, the end record, and nothing else', async () => {
  const { fence, name, task, records } = await queued()
  await fence.claim(name, by, hop)
  await fence.end(task, done, hop)
  expect(await fence.complete(task, claimOf(task), hop)).toMatchObject({ is: 'final' })
  expect(records.names().map(n => n.split('/')[0])).toEqual(['h', 'x'])
  const [history] = await records.list('h/', { limit: 1, values: true })
  expect(JSON.parse(history!.value!.toString())).toEqual({ request: task, end: { outcome: 'done', at: 1 } })
  expect(await fence.complete(task, claimOf(task), hop)).toEqual({ is: 'done-before' })
})

test('a lost attempt is followed by the next at once, a crashed one waits first', async () => {
  const lost = await queued()
  await lost.fence.claim(lost.name, by, hop)
  await lost.fence.end(lost.task, unfinished(lost.task, { counts: 'lost', reason: 'silent', now: 1 }), hop)
  await lost.fence.complete(lost.task, claimOf(lost.task), hop)
  expect(lost.records.names('q/')).toEqual([queuedName({ ...lost.task, attempt: 2 })])

  const now = Date.now()
  const crashed = await queued()
  await crashed.fence.claim(crashed.name, by, hop)
  await crashed.fence.end(
    crashed.task,
    unfinished(crashed.task, { counts: 'crashed', reason: 'SIGKILL', now }),
    hop,
  )
  await crashed.fence.complete(crashed.task, claimOf(crashed.task), hop)
  const [waiting] = crashed.records.names('w/')
  expect(readWaiting(waiting!)).toMatchObject({ id: crashed.task.id, attempt: 2 })
  const queuedAgain = await crashed.fence.due(waiting!, hop)
  expect(crashed.records.names('w/')).toEqual([])
  const next = JSON.parse(crashed.records.stored.get(queuedAgain!)!.toString()) as TaskRecord
  expect(next.tries).toEqual({ crashed: 1, errors: 0, lost: 0 })
  expect(next.notBefore).toBeGreaterThan(now)
})

test('complete finishes from every place where it could have been cut off', async () => {
  for (const outcome of ['done', 'lost'] as const) {
    for (let cut = 0; cut < 6; cut++) {
      const { fence, name, task, records } = await queued()
      await fence.claim(name, by, hop)
      await fence.end(task, { outcome, at: 1 }, hop)
      let operations = 0
      records.after = () => {
        if (operations++ === cut) throw new Error('cut off here')
      }
      await fence.complete(task, claimOf(task), hop).catch(() => {})
      records.after = undefined
      // What the sweep does: it finds the claim, as long as anything is unfinished.
      if (records.names('run/').length > 0) await fence.complete(task, claimOf(task), hop)
      expect(records.names('run/')).toEqual([])
      expect(records.names('q/')).toEqual(outcome === 'lost' ? [queuedName({ ...task, attempt: 2 })] : [])
      expect(records.names('h/').length).toBe(outcome === 'done' ? 1 : 0)
    }
  }
})

test('the claim goes last', async () => {
  const { fence, name, task, records } = await queued()
  await fence.claim(name, by, hop)
  await fence.end(task, done, hop)
  const deleted: string[] = []
  records.before = op => void (op.does === 'delete' && deleted.push(op.name))
  await fence.complete(task, claimOf(task), hop)
  expect(deleted).toEqual([queuedName(task), runName(task)])
})

test('stop ends a queued task for good, and one that ended before it is sealed', async () => {
  const one = await queued()
  const end = { outcome: 'cancelled', at: 1 } as const
  expect(await one.fence.stop(one.task, { by, waiting: false, end }, hop)).toMatchObject({ is: 'final' })
  expect(await one.fence.claim(one.name, by, hop)).toEqual({ is: 'gone' })

  const other = await queued()
  await other.records.create(endName(other.task), done)
  expect(await other.fence.stop(other.task, { by, waiting: false, end }, hop)).toEqual({ is: 'sealed' })
  expect(other.records.names('h/')[0]).toMatch(/\.done$/)
})

test('limits apart: three crashes are dead, three errors failed, ten losses dead', () => {
  const ends = (counts: 'crashed' | 'errors' | 'lost') => {
    for (let n = 0; ; n++) {
      const task = taskRecord({ tries: { crashed: 0, errors: 0, lost: 0, [counts]: n } })
      const end = unfinished(task, { counts, reason: 'why', now: 1 })
      if (end.outcome !== 'retry' && end.outcome !== 'lost') return `${n + 1} ${end.outcome}`
    }
  }
  expect([ends('crashed'), ends('errors'), ends('lost')]).toEqual(['3 dead', '3 failed', '10 dead'])
  const task = taskRecord({ tries: { crashed: 2, errors: 2, lost: 9 } })
  expect(
    unfinished({ ...task, tries: { ...task.tries, lost: 0 } }, { counts: 'lost', reason: '', now: 1 })
      .outcome,
  ).toBe('lost')
})
