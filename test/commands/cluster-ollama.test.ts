import { expect, onTestFinished, test } from 'vitest'
import { type AskAnswer, ask, type Frame } from '../../src/contracts/ask.ts'
import { Client } from '../../src/runtime/client/index.ts'
import { Secret } from '../../src/secret.ts'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { type OllamaStandIn, startOllamaStandIn } from '../helpers/ollama-stand-in/index.ts'

async function withOllama(o: Parameters<typeof startOllamaStandIn>[0]): Promise<OllamaStandIn> {
  const ollama = await startOllamaStandIn(o)
  onTestFinished(() => ollama.stop())
  return ollama
}

async function clusterFor(ollama: OllamaStandIn, model?: string): Promise<Cluster> {
  const cluster = await startCluster({ ollama: ollama.url, model })
  onTestFinished(() => cluster.stop())
  return cluster
}

const clientOf = (cluster: Cluster) =>
  new Client({ urls: [cluster.url], key: new Secret(cluster.key), signal: new AbortController().signal })

test('cluster up --model pulls the model that Ollama does not have, and answers with it from then on', async () => {
  const ollama = await withOllama({ models: { other: { tokens: ['other'] } } })
  ollama.library.set('wanted', { layers: [{ digest: 'sha256:1', total: 1_000_000 }], steps: 5, everyMs: 5 })
  const cluster = await clusterFor(ollama, 'wanted')
  const { stdout } = await cluster.run('ask', '--json', 'who are you?')
  expect(JSON.parse(stdout)).toMatchObject({ engine: 'ollama', model: 'wanted:latest' })
  expect(ollama.requests.map(r => r.path)).toContain('/api/pull')
  expect((await cluster.run('cluster', 'up')).stdout).toContain('Nothing was changed')
  expect((await cluster.run('ask', '--json', 'who are you?')).stdout).toContain('"model":"wanted:latest"')
})

test('an unknown model is refused with what to do, by every command that takes one', async () => {
  const cluster = await clusterFor(await withOllama({ models: { llama: {} } }))
  const asked = await cluster.run('ask', '--model', 'nobody', 'a')
  expect(asked).toMatchObject({ code: 2 })
  expect(asked.stderr).toContain('No worker has the model nobody.')
  expect(asked.stderr).toContain('llmagentos model pull nobody')
  expect((await cluster.run('model', 'pull', 'nobody')).stderr).toContain('nobody')
  expect((await cluster.run('model', 'rm', 'nobody')).code).toBe(2)
})

test('cluster down lets a running answer end, and takes no new question meanwhile', async () => {
  const ollama = await withOllama({
    models: { llama: { tokens: Array.from({ length: 40 }, (_, i) => `t${i} `), everyMs: 50 } },
  })
  const cluster = await clusterFor(ollama)
  const client = clientOf(cluster)
  onTestFinished(() => client.close())
  let answer: AskAnswer | undefined
  let stopping: Promise<{ code: number }> | undefined
  for await (const frame of client.lines<Frame>(ask, { body: { question: 'count', stream: true } })) {
    if (frame.type === 'text') stopping ??= cluster.run('cluster', 'down')
    if (frame.type === 'done') answer = frame.answer
  }
  expect(answer?.answer.trim().split(' ')).toHaveLength(40)
  expect((await stopping!).code).toBe(0)
  const late = await cluster.run('ask', 'too late?')
  expect(late.code).toBe(4)
})

test('an answer that Ollama cuts is an error for whoever waits for it, and not kept as a turn', async () => {
  const ollama = await withOllama({ models: { llama: {} } })
  const cluster = await clusterFor(ollama)
  ollama.set('llama', { tokens: ['a ', 'b ', 'c '], cutAfter: { tokens: 2, how: 'hard' } })
  const asked = await cluster.run('ask', '--session', 'cut', 'say it')
  expect(asked.code).toBe(6)
  expect(asked.stdout).toBe('a b ')
  expect((await cluster.run('session', 'show', 'cut')).stdout).not.toContain('a b')
  expect((await cluster.run('cluster', 'status')).code).toBe(0)
})
