import { startCluster } from '../helpers/cluster.ts'
import { openAiSuite } from '../runtime/services/gateway/openai-suite.ts'

const url = process.env['OLLAMA_HOST']
if (!url)
  throw new Error('OLLAMA_HOST is not set: these tests need a real Ollama with a model that makes text')

openAiSuite(`the official OpenAI client, with the Ollama at ${url}`, async () => {
  const cluster = await startCluster({ ollama: url })
  const reply = await fetch(`${cluster.url}/api/v1/models`, {
    headers: { authorization: `Bearer ${cluster.key}` },
  })
  const { models, default: chat } = (await reply.json()) as {
    models: { name: string; embeds: boolean; engine: string }[]
    default: string
  }
  if (chat === 'extractive') {
    await cluster.stop()
    throw new Error(`the Ollama at ${url} does not answer or has no model that makes text`)
  }
  const embed = models.find(m => m.embeds)?.name
  return { cluster, chat, json: chat, ...(embed && { embed }), stop: () => cluster.stop() }
})
