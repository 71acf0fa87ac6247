import { expect, test } from 'vitest'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { listTasks } from '../../../../src/runtime/services/task/list.ts'
import { Fence } from '../../../../src/runtime/tasks/fence.ts'
import { queuedName } from '../../../../src/runtime/tasks/names.ts'
import { MemoryRecords } from '../../../helpers/memory-records.ts'
import { taskRecord } from '../../../helpers/task-record.ts'

const hop = ownHop(60_000)
const by = { executor: 'x', boot: 'b' }

async function setUp() {
  const records = new MemoryRecords()
  const put = async () => {
    const task = taskRecord({ user: 'ann' })
    await records.create(queuedName(task), task)
    return task
  }
  return { records, put, fence: new Fence(records) }
}

test('a list of what is open reads nothing of what has ended, however much that is', async () => {
  const { records, put, fence } = await setUp()
  for (let i = 0; i < 5; i++) {
    const end = { outcome: 'done', at: Date.now() } as const
    await fence.stop(await put(), { by, waiting: false, end }, hop)
  }
  const running = await put()
  await fence.claim(queuedName(running), by, hop)
  const queued = await put()
  const read: string[] = []
  records.before = op => void read.push(op.name)
  const list = async (state?: 'running' | 'queued' | 'done') =>
    (await listTasks({ records, user: 'ann', state, limit: 50 }, hop)).tasks.map(t => t.id)
  expect(await list('running')).toEqual([running.id])
  expect(await list('queued')).toEqual([queued.id])
  expect(read.filter(name => name.startsWith('h/'))).toEqual([])
  expect(await list('done')).toHaveLength(5)
  expect(await list()).toHaveLength(7)
})
