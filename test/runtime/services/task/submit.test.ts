import { expect, test } from 'vitest'
import { silent } from '../../../../src/log.ts'
import { inProcessBus } from '../../../../src/runtime/bus/in-process.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { loadKinds } from '../../../../src/runtime/kinds/index.ts'
import { Dispatcher } from '../../../../src/runtime/services/task/dispatcher.ts'
import { Executors } from '../../../../src/runtime/services/task/executors.ts'
import { submitTask } from '../../../../src/runtime/services/task/submit.ts'
import { Fence } from '../../../../src/runtime/tasks/fence.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { MemoryRecords } from '../../../helpers/memory-records.ts'

test('two submits under one key at once both tell of the task that was stored, whatever each had understood', async () => {
  const records = new MemoryRecords()
  const kinds = new Map((await loadKinds()).map(k => [k.name, k]))
  const parts = {
    ...{ records, kinds, fence: new Fence(records), bus: inProcessBus() },
    ...{ log: silent, calls: new Calls('task', {}) },
  }
  const dispatcher = new Dispatcher({ ...parts, executors: new Executors() })
  const who = { user: 'ann', key: 'k1', role: 'user', scopes: ['tasks:write'] } as const
  const submit = (kind: string, params: object) =>
    submitTask(
      {
        ...{ ...parts, dispatcher, key: 'one', body: { text: 'a walk' } },
        who: { ...who, scopes: [...who.scopes] },
        byModel: async () => ({ kind, params: params as never }),
      },
      ownHop(),
    )
  const [first, second] = await Promise.all([
    submit('generate', { prompt: 'a walk' }),
    submit('qa', { question: 'a walk' }),
  ])
  expect(records.names('q/')).toHaveLength(1)
  expect(second.task?.id).toBe(first.task?.id)
  expect(second.task?.kind).toBe(first.task?.kind)
  expect(second.understood).toEqual(first.understood)
})
