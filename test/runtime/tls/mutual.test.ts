import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { expect, test, vi } from 'vitest'
import type { TlsFiles } from '../../../src/contracts/config.ts'
import { ownHop } from '../../../src/runtime/hop.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { Authority } from './authority.ts'
import { frames, knock, question, read, serialAt, upload, worker } from './worker.ts'

const DAY_MS = 86_400_000
test('the certificate says who calls', async () => {
  const w = await worker()
  expect(await w.callsAs('llm').call(question, ownHop(), { body: {} })).toEqual({ caller: 'llm' })
})

test('a service that is not expected is refused, whatever it says of itself', async () => {
  const w = await worker()
  // It claims to be llm, under the certificate of data.
  const claims = w.callsAs('data')
  const headers = { 'x-caller': 'llm' }
  await expect(claims.call(question, ownHop(), { body: {}, headers })).rejects.toMatchObject({ status: 403 })
  expect(w.handled()).toBe(0)
})

test('every service of the cluster may ask whether another is ready', async () => {
  const w = await worker()
  const [peer] = w.callsAs('gateway').peers('worker')
  expect(await peer!.request({ method: 'GET', path: '/healthz' })).toMatchObject({ status: 200 })
})

test('a caller with a good certificate is answered', async () => {
  const w = await worker()
  expect(await knock(w.port, read(w.authority.issue('llm')))).toContain('HTTP/1.1 200')
  expect(w.handled()).toBe(1)
})

test.for<[string, (a: Authority) => TlsFiles]>([
  ['of another CA', ({ ca }) => ({ ...new Authority(tempFolder(), 'other').issue('llm'), ca })],
  ['that has ended', a => a.issue('llm', { until: Date.now() - DAY_MS })],
  ['of another cluster', a => a.issue('llm', { uris: ['spiffe://jena/llm'] })],
  ['of two names', a => a.issue('llm', { uris: ['spiffe://halle/llm', 'spiffe://halle/data'] })],
  ['of a service we do not have', a => a.issue('llm', { uris: ['spiffe://halle/root'] })],
  ['without a service', a => a.issue('llm', { uris: [], names: 'DNS:llm' })],
])('a caller with a certificate %s is refused, and nothing is handled', async ([, made]) => {
  const w = await worker()
  const files = made(w.authority)
  const ended = await knock(w.port, { ...read(files) })
  expect(ended).not.toContain('HTTP/1.1 200')
  expect(w.handled()).toBe(0)
})

test.for<[string, ConnectionOptions]>([
  ['without a certificate', {}],
  ['with TLS 1.2', { maxVersion: 'TLSv1.2' }],
])('a caller %s is refused', async ([says, options]) => {
  const w = await worker()
  const own = says === 'with TLS 1.2' ? read(w.authority.issue('llm')) : { ca: readFileSync(w.authority.ca) }
  expect(await knock(w.port, { ...own, ...options })).not.toContain('HTTP/1.1 200')
  expect(w.handled()).toBe(0)
})

test.for<[string, (a: Authority) => TlsFiles, RegExp]>([
  ['another service', a => a.issue('data', { file: 'x' }), /spiffe:\/\/halle\/data/],
  ['another CA', () => new Authority(tempFolder(), 'other').issue('worker'), /certificate/],
])('whoever answers under the certificate of %s gets no request', async ([, made, why]) => {
  const a = new Authority(tempFolder())
  const w = await worker({ authority: a, files: made(a) })
  const thrown = await w
    .callsAs('llm')
    .call(question, ownHop(), { body: {} })
    .catch(e => e)
  expect(thrown).toMatchObject({ status: 503, cause: { message: expect.stringMatching(why) } })
  expect(w.handled()).toBe(0)
})

test('a certificate that ends while its connection stands counts no more', async () => {
  const w = await worker()
  w.authority.issue('llm', { until: Date.now() + 3_000 })
  const calls = w.callsAs('llm', w.files('llm'))
  const ask = () =>
    calls.call(question, ownHop(), { body: {} }).then(
      () => 200,
      thrown => thrown.status,
    )
  expect(await ask()).toBe(200)
  await vi.waitFor(async () => expect(await ask()).toBe(403), { timeout: 10_000, interval: 100 })
})

test('a replica that cannot be connected, or is somebody else, is passed over', async () => {
  const a = new Authority(tempFolder())
  const other = await worker({ authority: a, files: a.issue('data', { file: 'x' }) })
  const w = await worker({ authority: a })
  const nobody = { host: '127.0.0.1', port: 1 }
  const calls = w.callsAs('llm', undefined, [nobody, other.at, w.at])
  expect(await calls.call(question, ownHop(), { body: {} })).toEqual({ caller: 'llm' })
  expect([other.handled(), w.handled()]).toEqual([0, 1])
})

test('an upload whose replica cannot be connected is given whole to the next one', async () => {
  const w = await worker()
  const nobody = { host: '127.0.0.1', port: 1 }
  const bytes = async () => {
    const body = Readable.from([Buffer.alloc(70_000), Buffer.alloc(30_000)])
    const calls = w.callsAs('llm', undefined, [nobody, w.at])
    return calls.call(upload, ownHop(), { upload: body })
  }
  expect(await bytes()).toEqual({ bytes: 100_000 })
})

test('what comes to a service that stops is asked of the next one', async () => {
  const authority = new Authority(tempFolder())
  const [first, second] = [await worker({ authority }), await worker({ authority })]
  const calls = first.callsAs('llm', undefined, [first.at, second.at])
  const ask = () => calls.call(question, ownHop(), { body: {} })
  await ask()
  let on = true
  let failed = 0
  const load = Array.from({ length: 8 }, async () => {
    while (on) await ask().catch(() => failed++)
  })
  await first.app.close()
  await vi.waitFor(() => expect(second.handled()).toBeGreaterThan(20))
  on = false
  await Promise.all(load)
  expect(failed).toBe(0)
})

test('frames come one by one', async () => {
  const w = await worker()
  const seen: unknown[] = []
  for await (const frame of w.callsAs('llm').lines<{ n?: number }>(frames, ownHop(), { body: {} })) {
    if (frame.n === undefined) continue
    seen.push(frame.n)
    // The next one is made only when this one was read.
    w.next(frame.n + 1)
  }
  expect(seen).toEqual([0, 1, 2, 3, 4])
})

test('files that are replaced are used by new requests, on both sides, and none fails', async () => {
  const w = await worker()
  const calls = w.callsAs('llm')
  const serials = new Set<string>()
  let on = true
  let failed = 0
  let asked = 0
  const load = Array.from({ length: 8 }, async () => {
    while (on) {
      asked++
      await calls.call(question, ownHop(), { body: {} }).catch(() => failed++)
    }
  })
  serials.add(await serialAt(w.port, w.authority))
  w.authority.issue('worker')
  w.authority.issue('llm')
  await vi.waitFor(async () => {
    serials.add(await serialAt(w.port, w.authority))
    expect(serials.size).toBe(2)
  }, 10_000)
  const callers = w.callerSerials()
  await vi.waitFor(() => expect(w.callerSerials()).toBeGreaterThan(1), 10_000)
  on = false
  await Promise.all(load)
  expect({ failed, callers: callers > 0 }).toEqual({ failed: 0, callers: true })
  expect(asked).toBeGreaterThan(20)
})
