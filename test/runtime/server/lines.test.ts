import { setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { Refusal } from '../../../src/runtime/refusal.ts'
import { sendLines } from '../../../src/runtime/server/lines.ts'
import { Peer } from '../../../src/runtime/transport.ts'

async function answerOf(frames: () => AsyncIterable<object>) {
  const app = fastify()
  app.setErrorHandler((thrown, _req, reply) => reply.code((thrown as Refusal).status).send({}))
  app.get('/', (_req, reply) => sendLines(reply, frames()))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const peer = new Peer('app', { url })
  onTestFinished(async () => {
    await peer.close()
    await app.close()
  })
  const began = performance.now()
  const reply = await peer.request({ method: 'GET', path: '/' })
  const headMs = performance.now() - began
  const text = await reply.body.text()
  const lines: object[] = text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
  return { status: reply.status, lines, headMs, wholeMs: performance.now() - began }
}

test('what is thrown at once is a refusal with its own status', async () => {
  const { status } = await answerOf(async function* () {
    yield* [] as object[]
    throw new Refusal(404, 'not_found', 'no')
  })
  expect(status).toBe(404)
})

test('a first frame that takes long is announced by head and beats, long before it comes', async () => {
  const { status, lines, headMs, wholeMs } = await answerOf(async function* () {
    await sleep(2_600)
    yield { type: 'text', text: 'late' }
  })
  expect(status).toBe(200)
  expect(lines.filter(l => 'type' in l && l.type === 'beat').length).toBeGreaterThanOrEqual(1)
  expect(lines.at(-1)).toEqual({ type: 'text', text: 'late' })
  expect(headMs).toBeLessThan(wholeMs * 0.8)
})

test('what is thrown late is an error frame, the last line', async () => {
  const { status, lines } = await answerOf(async function* () {
    await sleep(1_200)
    yield* [] as object[]
    throw new Refusal(503, 'busy', 'later')
  })
  expect(status).toBe(200)
  expect(lines.at(-1)).toMatchObject({ type: 'error', error: { code: 'busy', message: 'later' } })
})
