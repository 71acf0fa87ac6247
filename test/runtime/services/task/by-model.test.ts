import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Task, TaskDetail, Understood } from '../../../../src/contracts/tasks.ts'
import { type Cluster, startCluster } from '../../../helpers/cluster.ts'
import { type OllamaStandIn, startOllamaStandIn } from '../../../helpers/ollama-stand-in/index.ts'

/** A real cluster in front of a stand-in for Ollama: its model says what the test wants it to say. */
let cluster: Cluster
let ollama: OllamaStandIn

beforeAll(async () => {
  ollama = await startOllamaStandIn()
  ollama.set('tiny', { tokens: ['hello'] })
  cluster = await startCluster({ ollama: ollama.url, model: 'tiny' })
}, 60_000)
afterAll(async () => {
  await cluster?.stop()
  await ollama?.stop()
}, 60_000)

async function submit(body: object): Promise<{ task: Task; understood: Understood }> {
  const reply = await fetch(`${cluster.url}/api/v1/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cluster.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(reply.status).toBe(202)
  return (await reply.json()) as { task: Task; understood: Understood }
}

const TEXT = 'what would you say of this: good evening'

test('where a model is, it reads plain words, and its answer fits the kind', async () => {
  const params = { text: 'good evening', labels: ['greeting', 'order'] }
  ollama.set('tiny', { tokens: [JSON.stringify({ kind: 'classify', params })] })
  const { understood } = await submit({ text: TEXT, dryRun: true })
  expect(understood).toMatchObject({ kind: 'classify', params, by: 'model' })
})

test.each([
  ['no JSON', 'I would rather not.'],
  ['a kind that is not there', '{"kind":"fly","params":{}}'],
  ['parameters that do not fit', '{"kind":"classify","params":{"labels":"a"}}'],
])('a model that answers with %s leaves the reading to the rules', async (_, answer) => {
  ollama.set('tiny', { tokens: [answer] })
  expect((await submit({ text: TEXT, dryRun: true })).understood).toMatchObject({ kind: 'qa', by: 'rules' })
})

test('a model that is too slow leaves the reading to the rules, in time', async () => {
  ollama.set('tiny', { tokens: ['{', '}'], everyMs: 60_000 })
  expect((await submit({ text: TEXT, dryRun: true })).understood.by).toBe('rules')
})

test('a kind that is named is taken, and no model is asked', async () => {
  ollama.set('tiny', { fail: { status: 500, error: 'must not be asked' } })
  expect((await submit({ kind: 'generate', text: 'a poem', dryRun: true })).understood).toMatchObject({
    kind: 'generate',
    by: 'given',
    params: { prompt: 'a poem' },
  })
})

test('a task is written by the model, and says what it took', async () => {
  ollama.set('tiny', { tokens: ['good', ' evening'] })
  const { task } = await submit({ kind: 'generate', params: { prompt: 'greet' } })
  const detail = await vi.waitFor(
    async () => {
      const reply = await fetch(`${cluster.url}/api/v1/tasks/${task.id}`, {
        headers: { authorization: `Bearer ${cluster.key}` },
      })
      const found = (await reply.json()) as TaskDetail
      expect(found.ended).toBeDefined()
      return found
    },
    { timeout: 20_000, interval: 100 },
  )
  expect(detail).toMatchObject({
    state: 'done',
    result: { text: 'good evening', engine: 'ollama', model: expect.stringMatching(/tiny/) },
  })
  expect(detail.usage?.completionTokens).toBeGreaterThan(0)
})
