import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { startCluster } from '../../../helpers/cluster.ts'
import { type OllamaStandIn, startOllamaStandIn } from '../../../helpers/ollama-stand-in/index.ts'
import { ask, clientOf } from './openai-client.ts'
import { openAiSuite, type Stand } from './openai-suite.ts'

let standIn: OllamaStandIn
let stand: Stand

openAiSuite(
  'the official OpenAI client, with a stand-in for Ollama',
  async () => {
    standIn = await startOllamaStandIn({
      models: {
        chat: { everyMs: 2, modified: '2026-02-01T00:00:00Z' },
        json: { tokens: ['{"city"', ': "Pa', 'ris"}'] },
        embed: { dimensions: 8 },
      },
    })
    const cluster = await startCluster({ ollama: standIn.url })
    stand = {
      cluster,
      chat: 'chat:latest',
      json: 'json:latest',
      embed: 'embed:latest',
      async stop() {
        await cluster.stop()
        await standIn.stop()
      },
    }
    return stand
  },
  () => {
    test('vectors of a model that the engine makes none with are refused', async () => {
      // A real Ollama makes vectors with every model of the llama family.
      const vectors = clientOf(stand.cluster).embeddings.create({ model: stand.json, input: 'x' })
      await expect(vectors).rejects.toThrow(OpenAI.APIError)
    })

    test('everything that shapes the answer reaches the engine', async () => {
      const client = clientOf(stand.cluster)
      const messages = [{ role: 'system' as const, content: 'Be short.' }, ...ask('Go on.')]
      await client.chat.completions.create({
        model: 'chat',
        messages,
        max_tokens: 12,
        temperature: 0.5,
        top_p: 0.25,
        stop: ['END', '###'],
        seed: 42,
        response_format: { type: 'json_object' },
      })
      expect(standIn.requests.at(-1)!.body).toMatchObject({
        model: 'chat:latest',
        messages,
        format: 'json',
        options: { num_predict: 12, temperature: 0.5, top_p: 0.25, stop: ['END', '###'], seed: 42 },
      })
      const schema = { type: 'object', properties: { a: { type: 'string' } } }
      await client.chat.completions.create({
        model: 'chat',
        messages,
        stop: 'END',
        response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
      })
      expect(standIn.requests.at(-1)!.body).toMatchObject({ format: schema, options: { stop: ['END'] } })
    })
  },
)
