import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { getObject, putObject } from '../../../../src/contracts/objects.ts'
import { silent } from '../../../../src/log.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { Metrics } from '../../../../src/runtime/metrics.ts'
import { buildApp } from '../../../../src/runtime/server/app.ts'
import { registerObjects } from '../../../../src/runtime/services/data/objects/index.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { memoryStore } from '../../../helpers/memory-store.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const hop = { ...ownHop(20_000), token: 'ann' }
const params = { '*': 'a' }

async function setUp() {
  const store = memoryStore()
  const socket = join(tempFolder(), 's')
  const app = buildApp({ log: silent, metrics: new Metrics('data') })
  const verify = async (user: string) => ({
    ...{ user, key: 'k', role: 'user' },
    scopes: ['data:read', 'data:write'],
  })
  registerObjects(app, { verify } as never, store)
  await app.listen({ path: socket })
  const calls = new Calls('gateway', { data: [{ socket }] })
  onTestFinished(async () => {
    await calls.close()
    await app.close()
  })
  const put = () => calls.call(putObject, hop, { params, query: {}, upload: Readable.from(['bytes']) })
  const get = () => calls.raw(getObject, hop, { params, query: {} })
  const blobs = async () => (await store.listBlobs({ limit: 10 })).length
  return { store, put, get, blobs }
}

test('an object whose record may have been stored keeps its bytes, though its put failed', async () => {
  const { store, put, get } = await setUp()
  const create = store.create
  store.create = async (...args) => {
    await create(...args)
    throw Object.assign(new Error('the answer was lost'), { code: 'EIO' })
  }
  await expect(put()).rejects.toMatchObject({ status: 500 })
  const found = await get()
  expect(found.status).toBe(200)
  expect(String(await buffer(found.body))).toBe('bytes')
})

test('a full disk keeps no bytes of an object that was not stored', async () => {
  const { store, put, get, blobs } = await setUp()
  store.create = async () => {
    throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
  }
  await expect(put()).rejects.toMatchObject({ status: 507 })
  expect((await get()).status).toBe(404)
  expect(await blobs()).toBe(0)
})
