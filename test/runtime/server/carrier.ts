import { join } from 'node:path'
import Type from 'typebox'
import { expect, onTestFinished } from 'vitest'
import type { Principal, ServiceName } from '../../../src/contracts/identity.ts'
import { type Route, route } from '../../../src/contracts/route.ts'
import { type Log, silent } from '../../../src/log.ts'
import { Here } from '../../../src/runtime/here.ts'
import { type Hop, ownHop } from '../../../src/runtime/hop.ts'
import { Metrics } from '../../../src/runtime/metrics.ts'
import { Refusal } from '../../../src/runtime/refusal.ts'
import { buildApp } from '../../../src/runtime/server/app.ts'
import { closeApp } from '../../../src/runtime/server/close.ts'
import { offer, type Question } from '../../../src/runtime/server/offer.ts'
import { Calls } from '../../../src/runtime/transport.ts'
import { tempFolder } from '../../helpers/temp.ts'

const Body = Type.Object(
  { text: Type.String(), rest: Type.Optional(Type.Unknown()), times: Type.Integer({ default: 3 }) },
  { additionalProperties: false },
)
const common = { method: 'POST', to: 'worker', body: Body } as const
const internal = { ...common, callers: ['llm'] as ServiceName[], replies: { 201: Type.Unknown() } }
export const document = route({ ...internal, path: '/internal/document', says: 'a document' })
export const small = route({ ...internal, path: '/internal/small', says: 'a small one', bodyLimit: 100 })
export const scoped = route({
  ...common,
  path: '/api/v1/scoped',
  says: 'for a user',
  scope: 'ask',
  replies: { 200: Type.Unknown() },
})
export const lines = route({
  ...internal,
  path: '/internal/lines',
  says: 'frames',
  streams: 'lines',
  replies: { 200: Type.Unknown() },
})

export type Answer = (asked: Pick<Question<typeof document>, 'hop' | 'who'> & { body: unknown }) => unknown

/** One service with these four routes, all answered alike, and how others call it. */
export async function serviceOver(
  carrier: string,
  answer: Answer,
  o: { log?: Log; self?: ServiceName } = {},
) {
  const socket = join(tempFolder(), 's')
  const metrics = new Metrics('worker')
  const app = buildApp({ log: o.log ?? silent, metrics })
  const verify = async (token: string): Promise<Principal> => {
    if (token === 'bad') throw new Refusal(401, 'bad_token', 'The token is not valid.')
    return { user: 'eva', key: 'k', role: 'user', scopes: token === 'asker' ? ['ask'] : [] }
  }
  for (const r of [document, small, scoped, lines] as Route[])
    offer(app, r as typeof document, verify, async q => answer(q) as never)
  await app.listen({ path: socket })
  const here = new Here()
  const calls = new Calls(o.self ?? 'llm', { worker: [{ socket }] }, { here })
  if (carrier === 'process') {
    here.add({ socket }, app.local)
    app.server.on('request', () => {
      throw new Error('a request came over the socket')
    })
  }
  let closed: Promise<void> | undefined
  const close = (deadlineMs = 1_000) => {
    closed ??= closeApp(app, deadlineMs)
    return closed
  }
  onTestFinished(async () => {
    await calls.close()
    await close()
  })
  return { calls, metrics, close }
}

export const body = { text: 'hello', times: 1 }
export const framesOf = async (calls: Calls, hop: Hop = ownHop()) => {
  const frames: object[] = []
  for await (const f of calls.lines<object>(lines, hop, { body })) frames.push(f)
  return frames
}
export const refusalOf = async (call: Promise<unknown>) => {
  const thrown = await call.then(
    () => undefined,
    (e: unknown) => e,
  )
  expect(thrown).toBeInstanceOf(Refusal)
  const { status, code, message, next, retryAfterSeconds } = thrown as Refusal
  return { status, code, message, next, retryAfterSeconds }
}

/** A promise that a test settles itself. */
export function later<T>() {
  let resolve!: (value: T) => void
  const promise = new Promise<T>(r => {
    resolve = r
  })
  return { promise, resolve }
}
