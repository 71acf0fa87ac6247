import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { HOP } from '../../../../src/contracts/hop.ts'
import type { ServiceName } from '../../../../src/contracts/identity.ts'
import {
  createRecord,
  deleteRecord,
  getRecord,
  listRecords,
  PREFIX_OWNERS,
} from '../../../../src/contracts/store.ts'
import { hopOf, startData } from './service.ts'

const CALLERS: ServiceName[] = ['auth', 'task', 'executor', 'llm', 'gateway']

test('a record is created once, read, listed and deleted, and a repeat is told whose it is', async () => {
  const task = (await startData()).as('task')
  const put = (text: string, writer: string) =>
    task.raw(createRecord, hopOf(), {
      params: { '*': 'q/u/normal/1.1' },
      upload: Buffer.from(text),
      headers: { [HOP.writer]: writer },
    })
  const first = await put('{"a":1}', 'me')
  expect([first.status, await first.body.text()]).toEqual([201, '{"writer":"me"}'])
  const second = await put('{"a":2}', 'other')
  expect([second.status, await second.body.text()]).toEqual([412, '{"writer":"me"}'])
  const got = await task.raw(getRecord, hopOf(), { params: { '*': 'q/u/normal/1.1' } })
  expect([got.headers['content-type'], await got.body.text()]).toEqual([
    'application/octet-stream',
    '{"a":1}',
  ])
  const { records } = await task.call(listRecords, hopOf(), {
    query: { prefix: 'q/u/', values: true, limit: 10 },
  })
  expect(records).toEqual([{ name: 'q/u/normal/1.1', value: Buffer.from('{"a":1}').toString('base64') }])
  await task.call(deleteRecord, hopOf(), { params: { '*': 'q/u/normal/1.1' } })
  await task.call(deleteRecord, hopOf(), { params: { '*': 'q/u/normal/1.1' } })
  const gone = await task.raw(getRecord, hopOf(), { params: { '*': 'q/u/normal/1.1' } })
  expect(gone.status).toBe(404)
  await gone.body.text()
})

test('each prefix is open to its owners alone, for every act, and everything else to nobody', async () => {
  const service = await startData()
  const prefixes = [...Object.keys(PREFIX_OWNERS), 'obj/', 'sess/', 'kb/', 'new/']
  for (const caller of CALLERS) {
    const calls = service.as(caller)
    for (const prefix of prefixes) {
      const params = { '*': `${prefix}a` }
      const allowed = PREFIX_OWNERS[prefix]?.includes(caller) ?? false
      const statuses = []
      for (const reply of [
        await calls.raw(createRecord, hopOf(), { params, upload: Buffer.from('x') }),
        await calls.raw(getRecord, hopOf(), { params }),
        await calls.raw(listRecords, hopOf(), { query: { prefix } }),
        await calls.raw(deleteRecord, hopOf(), { params }),
      ]) {
        statuses.push(reply.status)
        await reply.body.text()
      }
      expect([caller, prefix, ...statuses]).toEqual([
        caller,
        prefix,
        ...(allowed ? [201, 200, 200, 200] : [403, 403, 403, 403]),
      ])
    }
  }
})

test('a worker is no caller, and a prefix without its slash is nobody’s', async () => {
  const service = await startData()
  const query = { prefix: 'q/' }
  await expect(service.as('worker').call(listRecords, hopOf(), { query })).rejects.toMatchObject({
    status: 403,
    code: 'caller',
  })
  await expect(
    service.as('task').call(listRecords, hopOf(), { query: { prefix: 'q' } }),
  ).rejects.toMatchObject({ status: 403 })
})

test('names with other characters, too long ones and too large records are refused as the caller’s mistake', async () => {
  const task = (await startData()).as('task')
  const put = (name: string, upload: Buffer) =>
    task.call(createRecord, hopOf(), { params: { '*': name }, upload })
  await expect(put('q/ä', Buffer.from('x'))).rejects.toMatchObject({ status: 400 })
  await expect(put(`q/${'x'.repeat(900)}`, Buffer.from('x'))).rejects.toMatchObject({ status: 400 })
  await expect(put('q/large', Buffer.alloc(8 * 1024 * 1024 + 1))).rejects.toMatchObject({ status: 413 })
  await put('q/empty', Buffer.alloc(0))
  const { records } = await task.call(listRecords, hopOf(), { query: { prefix: 'q/' } })
  expect(records).toEqual([{ name: 'q/empty' }])
})

test('a body without a length is cut off at the limit and told so', async () => {
  const task = (await startData()).as('task')
  const upload = Readable.from(Array.from({ length: 64 }, () => randomBytes(1024 * 1024)))
  const sent = task.call(createRecord, hopOf(), { params: { '*': 'q/large' }, upload })
  await expect(sent).rejects.toMatchObject({ status: 413 })
  expect((await task.call(listRecords, hopOf(), { query: { prefix: 'q/' } })).records).toEqual([])
})

test('a page of large values is cut short and says so', async () => {
  const task = (await startData()).as('task')
  for (let i = 0; i < 12; i++)
    await task.call(createRecord, hopOf(), {
      params: { '*': `q/${i + 10}` },
      upload: randomBytes(1024 * 1024),
    })
  const seen: string[] = []
  for (let more: boolean | undefined = true; more; ) {
    const query = { prefix: 'q/', limit: 100, values: true, ...(seen.length > 0 && { after: seen.at(-1) }) }
    const page = await task.call(listRecords, hopOf(), { query })
    expect(page.records.length).toBeLessThan(12)
    seen.push(...page.records.map(r => r.name))
    more = page.more
  }
  expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => `q/${i + 10}`))
})
