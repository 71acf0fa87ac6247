import { join } from 'node:path'
import { Readable } from 'node:stream'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import type { DataConfig } from '../../../../src/contracts/config.ts'
import { HOP } from '../../../../src/contracts/hop.ts'
import type { Principal } from '../../../../src/contracts/identity.ts'
import { putObject } from '../../../../src/contracts/objects.ts'
import { silent } from '../../../../src/log.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { Metrics } from '../../../../src/runtime/metrics.ts'
import { buildApp } from '../../../../src/runtime/server/app.ts'
import type { Deps } from '../../../../src/runtime/service.ts'
import { registerObjects } from '../../../../src/runtime/services/data/objects/index.ts'
import type { ObjectStore } from '../../../../src/runtime/services/data/store/store.ts'
import { refuseSealedAttempts } from '../../../../src/runtime/services/data/task-fence.ts'
import { makeTools } from '../../../../src/runtime/services/executor/child-tools.ts'
import { newId } from '../../../../src/runtime/tasks/ids.ts'
import { endName } from '../../../../src/runtime/tasks/names.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { memoryStore } from '../../../helpers/memory-store.ts'
import { tempFolder } from '../../../helpers/temp.ts'

let store: ObjectStore
let calls: Calls
const id = newId()

beforeEach(async () => {
  store = memoryStore()
  const socket = join(tempFolder(), 'data.sock')
  const app = buildApp({ log: silent, metrics: new Metrics('data') })
  const ada: Principal = { user: 'ada', key: 'k', role: 'user', scopes: ['data:read', 'data:write'] }
  refuseSealedAttempts(app, store)
  registerObjects(app, { verify: async () => ada } as unknown as Deps<DataConfig>, store)
  await app.listen({ path: socket })
  calls = new Calls('executor', { data: [{ socket }] })
  onTestFinished(async () => {
    await calls.close()
    await app.close()
  })
})

const toolsOf = (attempt: number, signal = new AbortController().signal) =>
  makeTools({
    order: {
      type: 'run',
      task: { id, attempt, kind: 'x', params: {} },
      token: 't',
      services: {},
      deadline: Date.now() + 60_000,
    },
    ...{ calls, signal, log: silent, token: () => 't', used: () => {}, progress: () => {} },
  })

const seal = (attempt: number) =>
  store.create(endName({ id, attempt }), Buffer.from('{"outcome":"lost","at":1}'), 'w')

test('a step is stored under the task, and the next attempt writes it again', async () => {
  const name = await toolsOf(1).data.put('out.txt', Buffer.from('one'))
  expect(name).toBe(`${id}/out.txt`)
  await seal(1)
  expect(await toolsOf(2).data.put('out.txt', Buffer.from('two'))).toBe(name)
  expect((await toolsOf(2).data.get(name)).toString()).toBe('two')
})

test('an attempt that was given away cannot write any more, though it does not know', async () => {
  const asleep = toolsOf(1)
  await seal(1)
  await expect(asleep.data.put('out.txt', Buffer.from('void'))).rejects.toMatchObject({
    status: 409,
    code: 'sealed',
  })
  await expect(asleep.data.get(`${id}/out.txt`)).rejects.toMatchObject({ status: 404 })
})

test('an attempt that was told to stop calls nobody any more', async () => {
  const stop = new AbortController()
  const tools = toolsOf(1, stop.signal)
  stop.abort(new Error('sealed'))
  await expect(tools.data.put('out.txt', Buffer.from('void'))).rejects.toThrow('sealed')
})

test('an upload whose attempt ends while it runs stores nothing', async () => {
  async function* slowly() {
    yield Buffer.from('first half, ')
    await seal(1)
    yield Buffer.from('second half')
  }
  const put = calls.call(
    putObject,
    { ...ownHop(), token: 't' },
    {
      params: { '*': 'out.txt' },
      query: {},
      upload: Readable.from(slowly()),
      headers: { [HOP.taskAttempt]: `${id}.1` },
    },
  )
  await expect(put).rejects.toMatchObject({ status: 409, code: 'sealed' })
  expect(await store.list('obj/', { limit: 5 })).toEqual([])
  expect(await store.listBlobs({ limit: 5 })).toEqual([])
})
