import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { ask, clientOf } from '../runtime/services/gateway/openai-client.ts'
import { openAiSuite, type Stand } from '../runtime/services/gateway/openai-suite.ts'
import { modelsAt } from './models.ts'

const url = process.env['OLLAMA_HOST']
if (!url) throw new Error('OLLAMA_HOST is not set: these tests need a real Ollama')
const base = url.includes('://') ? url : `http://${url}`

let stand: Stand
async function start(): Promise<Stand> {
  const remove = await modelsAt(base)
  const cluster = await startCluster({ ollama: base })
  const stop = async () => {
    await cluster.stop()
    await remove()
  }
  const { models, default: chat } = await modelsOf(cluster)
  if (chat === 'extractive') {
    await stop()
    throw new Error(`the Ollama at ${url} does not answer or has no model that makes text`)
  }
  const embed = models.find(m => m.embeds)?.name
  stand = { cluster, chat, json: chat, ...(embed && { embed }), stop }
  return stand
}

async function modelsOf(
  cluster: Cluster,
): Promise<{ models: { name: string; embeds: boolean; engine: string }[]; default: string }> {
  const reply = await fetch(`${cluster.url}/api/v1/models`, {
    headers: { authorization: `Bearer ${cluster.key}` },
  })
  return reply.json() as never
}

const running = async () => (await stand.cluster.run('cluster', 'status')).code

openAiSuite(`the official OpenAI client, with the Ollama at ${url}`, start, () => {
  test('who goes away in the middle leaves no answer running, and the next question is answered', async () => {
    const client = clientOf(stand.cluster)
    const gone = Array.from({ length: 8 }, async () => {
      const left = new AbortController()
      const stream = await client.chat.completions.create(
        { model: stand.chat, messages: ask('Tell a very long story.'), stream: true },
        { signal: left.signal },
      )
      for await (const _ of stream) left.abort()
    })
    await Promise.allSettled(gone)
    await sleep(100)
    const answer = await client.chat.completions.create({
      model: stand.chat,
      messages: ask('Hi.'),
      max_tokens: 20,
    })
    expect(answer.choices[0]!.message.content!.trim()).not.toBe('')
  })

  test('more questions at once than there are slots are all answered', async () => {
    const client = clientOf(stand.cluster)
    const o = { model: stand.chat, messages: ask('Say hello.'), max_tokens: 20 }
    const answers = await Promise.all(Array.from({ length: 24 }, () => client.chat.completions.create(o)))
    expect(answers.every(a => a.choices[0]!.message.content!.trim() !== '')).toBe(true)
  })

  test('a model that no registry gives is refused with its name, and the cluster goes on', async () => {
    // Nothing listens there, so nobody outside is asked.
    const pulled = await stand.cluster.run('model', 'pull', '127.0.0.1:1/nobody/nothing')
    expect(pulled.code).not.toBe(0)
    expect(pulled.stderr).toContain('error:')
    expect(pulled.stderr).not.toMatch(/^\s+at /m)
    expect(await running()).toBe(0)
  })

  test('the commands ask, model list and status name the engine and the model', async () => {
    const asked = await stand.cluster.run('ask', '--json', '--model', stand.chat, 'how do I add a node?')
    expect(asked.code, asked.stderr).toBe(0)
    expect(JSON.parse(asked.stdout)).toMatchObject({ engine: 'ollama', model: stand.chat })
    expect((await stand.cluster.run('model', 'list')).stdout).toContain(stand.chat)
    await vi.waitFor(async () => expect(await running()).toBe(0), 10_000)
  })
})
