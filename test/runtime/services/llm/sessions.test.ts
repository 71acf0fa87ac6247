import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AskAnswer, ask } from '../../../../src/contracts/ask.ts'
import { showSession } from '../../../../src/contracts/sessions.ts'
import { Client } from '../../../../src/runtime/client/index.ts'
import { Secret } from '../../../../src/secret.ts'
import { type Cluster, startCluster } from '../../../helpers/cluster.ts'

let cluster: Cluster
let client: Client

beforeAll(async () => {
  cluster = await startCluster()
  client = new Client({
    urls: [cluster.url],
    key: new Secret(cluster.key),
    signal: new AbortController().signal,
  })
})
afterAll(async () => {
  await client?.close()
  await cluster?.stop()
})

const asked = (session: string, question = 'how do I revoke a key?'): Promise<AskAnswer> =>
  client.call(ask, { body: { question, session } })

test('a session keeps question, answer and sources of each turn, in order', async () => {
  const first = await asked('order', 'how do I revoke a key?')
  expect(first).toMatchObject({ session: 'order', stored: true })
  await asked('order', 'how do I stop the cluster?')
  const { turns } = await client.call(showSession, { params: { id: 'order' }, query: {} })
  expect(turns.map(t => [t.turn, t.saw, t.question])).toEqual([
    [1, 0, 'how do I revoke a key?'],
    [2, 1, 'how do I stop the cluster?'],
  ])
  expect(turns[0]).toMatchObject({ answer: first.answer, sources: first.sources, engine: 'extractive' })
})

test('20 parallel asks on one session make 20 turns, and none is lost', async () => {
  const questions = Array.from({ length: 20 }, (_, i) => `how do I revoke key number ${i}?`)
  const answers = await Promise.all(questions.map(q => asked('crowd', q)))
  expect(answers.every(a => a.stored)).toBe(true)
  const { turns } = await client.call(showSession, { params: { id: 'crowd' }, query: {} })
  expect(turns.map(t => t.turn)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  expect(turns.map(t => t.question).sort()).toEqual(questions.toSorted())
  expect(turns.every(t => t.saw < t.turn)).toBe(true)
})

/** Without knowledge the second stage reads the session and nothing else. */
const history = (session: string, question = 'q') => client.call(ask, { body: { question, session, kb: [] } })

/** One turn that fills the window of 16 KiB, as many short ones do. */
const FULL_WINDOW = 'how do I revoke a key? '.repeat(680)

test('reading the history costs the same at 1,000 turns as at 1, with a window of the same size', async () => {
  const ratios: number[] = []
  for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 20 }, () => asked('long')))
  // Both sessions in turn, so that a busy moment of the machine meets both; the best of three medians counts.
  for (let round = 0; round < 3; round++) {
    const short: number[] = []
    const long: number[] = []
    for (let i = 0; i < 60; i++) await history(`short-${round}-${i}`, FULL_WINDOW)
    for (let i = 0; i < 60; i++) {
      short.push((await history(`short-${round}-${i}`)).timings.contextMs)
      long.push((await history('long')).timings.contextMs)
    }
    ratios.push(median(long) / median(short))
  }
  expect(Math.min(...ratios), `ratios ${ratios.map(r => r.toFixed(2))}`).toBeLessThanOrEqual(1.2)
}, 120_000)

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
