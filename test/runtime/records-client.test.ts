import { createServer, request as forward } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { HOP } from '../../src/contracts/hop.ts'
import { RemoteRecords } from '../../src/runtime/records-client.ts'
import { Calls } from '../../src/runtime/transport.ts'
import { hopOf, startData } from './services/data/service.ts'

type Fate = 'pass' | 'cut before' | 'cut after' | 'fail after' | 'fail before'

test('records are created, read, listed in pages and deleted over the wire', async () => {
  const records = new RemoteRecords((await startData()).as('task'))
  const names = Array.from({ length: 25 }, (_, i) => `q/${100 + i}`)
  const ends = await Promise.all(names.map(n => records.create(n, { n }, hopOf())))
  expect(new Set(ends)).toEqual(new Set(['created']))
  expect(await records.create(names[0]!, { n: 'other' }, hopOf())).toBe('exists')
  expect(JSON.parse(String(await records.get(names[0]!, hopOf())))).toEqual({ n: names[0] })
  expect(await records.get('q/none', hopOf())).toBeUndefined()
  expect((await records.list('q/', { after: 'q/103', limit: 3 }, hopOf())).map(r => r.name)).toEqual([
    'q/104',
    'q/105',
    'q/106',
  ])
  await records.delete('q/104', hopOf())
  expect(await records.list('q/', { after: 'q/103', limit: 1, values: true }, hopOf())).toEqual([
    { name: 'q/105', value: Buffer.from('{"n":"q/105"}') },
  ])
})

test('a list of large values is whole although the service cuts its pages', async () => {
  const records = new RemoteRecords((await startData()).as('task'))
  for (let i = 0; i < 12; i++) await records.create(`q/${10 + i}`, Buffer.alloc(1024 * 1024, i), hopOf())
  const all = await records.list('q/', { limit: 50, values: true }, hopOf())
  expect(all.map(r => r.value![5])).toEqual(Array.from({ length: 12 }, (_, i) => i))
})

test.each([
  ['the answer is cut after the commit', ['cut after']],
  ['the connection is cut before the request arrives', ['cut before']],
  ['a 500 follows the commit', ['fail after']],
  ['everything of it, in a row', ['cut before', 'fail before', 'cut after', 'fail after']],
] as [string, Fate[]][])('a create finds out that it was its own when %s', async (_, fates) => {
  const { records } = await throughFaults(fates)
  expect(await records.create('q/a', { by: 'me' }, hopOf())).toBe('created')
})

test('a create that lost to another one says so, whatever happened to its first try', async () => {
  const { records, direct } = await throughFaults(['cut before', 'fail before'])
  expect(await direct.create('q/a', { by: 'other' }, hopOf())).toBe('created')
  expect(await records.create('q/a', { by: 'me' }, hopOf())).toBe('exists')
})

test('repeating ends with the deadline of the hop', async () => {
  const { records, tries } = await throughFaults(Array<Fate>(1000).fill('fail before'))
  const hop = hopOf(undefined, 700)
  await expect(records.create('q/a', {}, hop)).rejects.toMatchObject({ status: 503 })
  expect(Date.now()).toBeLessThanOrEqual(hop.deadline + 5_000)
  expect(tries()).toBeGreaterThan(2)
})

test('what is refused for a reason that stays is not repeated', async () => {
  const { records, tries } = await throughFaults([])
  await expect(records.create('auth/x', {}, hopOf())).rejects.toMatchObject({ status: 403 })
  expect(tries()).toBe(1)
})

/** A stand-in for a bad network: hands each request on to the real service, and lets the fates befall the first ones. */
async function throughFaults(fates: Fate[]) {
  const data = await startData()
  const socket = join(data.folder, 'f')
  const writers: unknown[] = []
  const server = createServer((req, res) => {
    const fate = fates[writers.length] ?? 'pass'
    writers.push(req.headers[HOP.writer])
    if (fate === 'cut before') return void req.socket.destroy()
    if (fate === 'fail before') return void res.writeHead(503).end('{}')
    const { method, url: path, headers } = req
    const on = forward({ socketPath: data.socket, method, path, headers }, answer => {
      if (fate === 'pass') return void answer.pipe(res.writeHead(answer.statusCode!, answer.headers))
      answer
        .resume()
        .on('end', () => (fate === 'cut after' ? req.socket.destroy() : res.writeHead(500).end('{}')))
    })
    req.pipe(on)
  })
  await new Promise<void>(resolve => server.listen(socket, resolve))
  const calls = new Calls('task', { data: [{ socket }] })
  onTestFinished(async () => {
    await calls.close()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return {
    records: new RemoteRecords(calls),
    direct: new RemoteRecords(data.as('task')),
    tries: () => writers.length,
  }
}
