import { createHash } from 'node:crypto'
import { tinyModel } from './tiny-model.ts'

const TINY = { chat: 'lao-tiny-chat:latest', embed: 'lao-tiny-embed:latest' }
const TEMPLATE = '{{ range .Messages }}{{ .Role }}: {{ .Content }} {{ end }}assistant: '

/** Makes tiny models at an Ollama that has none; returns what takes them away again. One that has models keeps to these. */
export async function modelsAt(url: string): Promise<() => Promise<void>> {
  const { models } = (await (await fetch(`${url}/api/tags`)).json()) as { models: unknown[] }
  if (models.length > 0) return async () => undefined
  await create(url, TINY.chat, tinyModel({ embeds: false }))
  await create(url, TINY.embed, tinyModel({ embeds: true }))
  return async () => {
    for (const model of Object.values(TINY)) await call(url, 'DELETE', '/api/delete', { model })
  }
}

async function create(url: string, model: string, file: Buffer): Promise<void> {
  const digest = `sha256:${createHash('sha256').update(file).digest('hex')}`
  const sent = await fetch(`${url}/api/blobs/${digest}`, { method: 'POST', body: new Uint8Array(file) })
  if (!sent.ok) throw new Error(`Ollama refused the file of ${model}: ${await sent.text()}`)
  // On a busy machine several threads wait for each other longer than one takes for all of it. And noise seldom ends by itself.
  const parameters = { num_thread: 1, num_predict: 300 }
  const options = { model, files: { 'tiny.gguf': digest }, template: TEMPLATE, parameters, stream: false }
  await call(url, 'POST', '/api/create', options)
}

async function call(url: string, method: string, path: string, body: object): Promise<void> {
  const reply = await fetch(`${url}${path}`, { method, body: JSON.stringify(body) })
  if (!reply.ok) throw new Error(`Ollama: ${method} ${path}: ${reply.status} ${await reply.text()}`)
}
