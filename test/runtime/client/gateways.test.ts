import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ask } from '../../../src/contracts/ask.ts'
import { whoami } from '../../../src/contracts/auth.ts'
import { HOP } from '../../../src/contracts/hop.ts'
import { listObjects, putObject } from '../../../src/contracts/objects.ts'
import { showSession } from '../../../src/contracts/sessions.ts'
import { Client } from '../../../src/runtime/client/index.ts'
import { Secret } from '../../../src/secret.ts'
import { Nodes } from '../tls/nodes.ts'
import { lineTo } from './line.ts'

const CHAT = { messages: [{ role: 'user' as const, content: 'good morning' }], kb: [] }
/** A look after a second, and a connection that is refused. */
const NOTICED_MS = 5_000

/** Two gateways; each client has lines of its own to them, which can be cut. */
async function twoGateways() {
  const nodes = await new Nodes().place(['gateway'])
  await nodes.start(['data', 'auth', 'worker', 'llm'])
  await Promise.all([nodes.start(['gateway']), nodes.start(['gateway'], { replica: 1 })])
  const key = new Secret(readFileSync(await nodes.keyFile(), 'utf8').trim())
  const ca = readFileSync(nodes.authority.ca, 'utf8')
  return async () => {
    const [first, second] = [await lineTo(nodes.urls[0]!), await lineTo(nodes.urls[1]!)]
    const client = clientOf([first.url, second.url], { key, ca })
    await client.call(whoami)
    // A turn of the event loop later its connection serves the next request.
    await sleep(50)
    return { first, client }
  }
}

function clientOf(urls: string[], o: { key: Secret; ca?: string }) {
  const client = new Client({ urls, ...o, signal: AbortSignal.timeout(100_000) })
  onTestFinished(() => client.close())
  return client
}

async function timed(act: Promise<unknown>) {
  const began = performance.now()
  await act
  return performance.now() - began
}

test('whose gateway goes dark is answered by another: an object is stored once, a chat is late once, and what goes on with a session is not sent twice', async () => {
  const connect = await twoGateways()

  const one = await connect()
  one.first.mute()
  const put = { params: { '*': 'a' }, query: {}, upload: Buffer.from('bytes') }
  expect(await one.client.call(putObject, put)).toMatchObject({ version: 1 })
  const { objects } = await one.client.call(listObjects, { query: {} })
  expect(objects).toMatchObject([{ name: 'a', version: 1, bytes: 5 }])

  const two = await connect()
  const chat = () => timed(two.client.call(ask, { body: CHAT }))
  two.first.dark()
  const noticed = await chat()
  expect(noticed).toBeGreaterThan(500)
  expect(noticed).toBeLessThan(NOTICED_MS)
  const after: number[] = []
  for (let i = 0; i < 50; i++) after.push(await chat())
  expect(Math.max(...after)).toBeLessThan(1_000)
  await two.first.light()
  expect(await chat()).toBeLessThan(1_000)

  const three = await connect()
  three.first.mute()
  const question = { question: 'good morning', kb: [], session: 's' }
  const next = three.client.call(ask, { body: question })
  await expect(next).rejects.toThrow('The connection to the gateway broke.')
  const { turns } = await three.client.call(showSession, { params: { id: 's' }, query: {} })
  expect(turns).toHaveLength(1)
}, 120_000)

/** A stand-in for a gateway that gives one answer, and how often it was asked. */
async function standIn(status: number, answer: object, headers: Record<string, string> = {}) {
  const said = { asked: 0, url: '' }
  const server = createServer((req, res) => {
    if (req.url !== '/ready') said.asked++
    res.writeHead(status, headers).end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  said.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return said
}

const refusing = (status: number, code: string, headers = {}) =>
  standIn(status, { error: { code, message: 'It cannot be done now.' } }, headers)
const key = new Secret('lao_x')
const body = { ...CHAT, session: 's' }

test('a gateway that began nothing is passed over, whatever it was asked; where none could begin, its words stand', async () => {
  const booting = await refusing(503, 'not_fresh', { [HOP.nothingBegun]: '1' })
  const well = await standIn(200, { answer: 'yes' })
  const client = clientOf([booting.url, well.url], { key })
  expect(await client.call(ask, { body })).toEqual({ answer: 'yes' })
  expect(await client.call(ask, { body })).toEqual({ answer: 'yes' })
  expect([booting.asked, well.asked]).toEqual([1, 2])
  const alone = clientOf([booting.url, 'http://127.0.0.1:1'], { key })
  await expect(alone.call(ask, { body })).rejects.toThrow('It cannot be done now.')
})

test.each([
  ['a gateway', 503, { [HOP.outcomeUnknown]: '1' }],
  ['one of before', 502, {}],
])('where %s lost whom it had asked, what does no harm twice is asked of another, and nothing else', async (_, status, headers) => {
  const cut = await refusing(status, 'cut', headers)
  const well = await standIn(200, { answer: 'yes' })
  const client = () => clientOf([cut.url, well.url], { key })
  expect(await client().call(ask, { body: CHAT })).toEqual({ answer: 'yes' })
  expect(well.asked).toBe(1)
  await expect(client().call(ask, { body })).rejects.toThrow('It cannot be done now.')
  expect(well.asked).toBe(1)
})

test('a refusal that a gateway means is not taken elsewhere', async () => {
  const full = await refusing(507, 'full')
  const well = await standIn(200, { answer: 'yes' })
  await expect(clientOf([full.url, well.url], { key }).call(ask, { body: CHAT })).rejects.toThrow()
  expect([full.asked, well.asked]).toEqual([1, 0])
})
