import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Type from 'typebox'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { ServiceName } from '../../src/contracts/identity.ts'
import { route } from '../../src/contracts/route.ts'
import { silent } from '../../src/log.ts'
import { ownHop } from '../../src/runtime/hop.ts'
import { Metrics } from '../../src/runtime/metrics.ts'
import { Refusal } from '../../src/runtime/refusal.ts'
import { buildApp } from '../../src/runtime/server/app.ts'
import { offer } from '../../src/runtime/server/offer.ts'
import { Calls } from '../../src/runtime/transport.ts'
import { tempFolder } from '../helpers/temp.ts'

const common = {
  ...({ method: 'POST', to: 'auth' } as const),
  callers: ['gateway'] as ServiceName[],
  body: Type.Object({}),
}
const document = route({
  ...common,
  ...{ path: '/internal/document', says: 'a document', replies: { 200: Type.Object({ by: Type.String() }) } },
})
const lines = route({
  ...common,
  ...{ path: '/internal/lines', says: 'frames', streams: 'lines', replies: { 200: Type.Unknown() } },
})

/** A replica that answers with its name once it is `able`, and how often it was asked. */
async function replica(name: string, o: { able: boolean; nothingBegun?: boolean }) {
  const socket = join(tempFolder(), 's')
  const app = buildApp({ log: silent, metrics: new Metrics('auth') })
  const state = { ...o, asked: 0, at: { socket } }
  const answer = () => {
    state.asked++
    const { able, nothingBegun = true } = state
    if (!able) throw new Refusal(503, 'loading', `${name} is not loaded yet.`, { nothingBegun })
    return { by: name }
  }
  app.get('/ready', async (_req, reply) => reply.code(state.able ? 200 : 503).send({}))
  const nobody = () => Promise.reject(new Error('nobody comes with a token'))
  offer(app, document, nobody, async () => answer())
  offer(app, lines, nobody, async () =>
    (async function* () {
      yield answer()
    })(),
  )
  await app.listen({ path: socket })
  onTestFinished(() => app.close())
  return state
}

function callsTo(...replicas: { at: { socket: string } }[]) {
  const calls = new Calls('gateway', { auth: replicas.map(r => r.at) })
  onTestFinished(() => calls.close())
  const ask = async () => (await calls.call(document, ownHop(), { body: {} })).by
  const askLines = async () => {
    for await (const line of calls.lines<{ by: string }>(lines, ownHop(), { body: {} })) return line.by
    return undefined
  }
  return { ask, askLines }
}

test('where a replica says that it began nothing, the next one is asked', async () => {
  const [first, second] = [await replica('first', { able: false }), await replica('second', { able: true })]
  const { ask } = callsTo(first, second)
  expect(await ask()).toBe('second')
  expect(first.asked).toBe(1)
})

test('so it is for answers in lines', async () => {
  const [first, second] = [await replica('first', { able: false }), await replica('second', { able: true })]
  const { askLines } = callsTo(first, second)
  expect(await askLines()).toBe('second')
  expect(first.asked).toBe(1)
})

test('a replica that began something before it refused is believed', async () => {
  const first = await replica('first', { able: false, nothingBegun: false })
  const { ask, askLines } = callsTo(first, await replica('second', { able: true }))
  await expect(ask()).rejects.toMatchObject({ status: 503, code: 'loading' })
  await expect(askLines()).rejects.toMatchObject({ status: 503, code: 'loading' })
})

test('one that lost whom it had asked began something, also while it stops', async () => {
  const socket = join(tempFolder(), 's')
  const app = buildApp({ log: silent, metrics: new Metrics('auth') })
  app.post(document.path, async (_req, reply) => {
    reply.header('connection', 'close')
    throw new Refusal(503, 'cut', 'The connection to the data service broke.', { retryAfterSeconds: 1 })
  })
  await app.listen({ path: socket })
  onTestFinished(() => app.close())
  const second = await replica('second', { able: true })
  const { ask } = callsTo({ at: { socket } }, second)
  await expect(ask()).rejects.toMatchObject({ status: 503, code: 'cut', retryAfterSeconds: 1 })
  expect(second.asked).toBe(0)
})

test('where none could begin, the caller hears why', async () => {
  const { ask, askLines } = callsTo(
    await replica('first', { able: false }),
    await replica('second', { able: false }),
  )
  await expect(ask()).rejects.toMatchObject({ status: 503, code: 'loading' })
  await expect(askLines()).rejects.toMatchObject({ status: 503, code: 'loading' })
})

test('a replica that was away gets no request before it says that it is ready, and then is the first again', async () => {
  const [first, second] = [await replica('first', { able: false }), await replica('second', { able: true })]
  const { ask } = callsTo(first, second)
  for (let i = 0; i < 50; i++) {
    expect(await ask()).toBe('second')
    await sleep(100)
  }
  expect(first.asked).toBe(1)
  first.able = true
  await vi.waitFor(async () => expect(await ask()).toBe('first'), 5_000)
})
