import { expect, test, vi } from 'vitest'
import type { PullFrame } from '../../../../../src/contracts/models.ts'
import type { OllamaBackend } from '../../../../../src/runtime/services/worker/backends/ollama/index.ts'
import { open } from './open-ollama.ts'

test('lists models with what they can do, newest chat model as default, and keeps that default', async () => {
  const { ollama, backend } = await open({
    old: { modified: '2025-01-01T00:00:00Z', contextLength: 2048 },
    'llama:8b': { modified: '2026-01-01T00:00:00Z', loadMs: 5 },
    embed: { dimensions: 8, loadMs: 5, modified: '2026-02-01T00:00:00Z', contextLength: 8192 },
    cloud: { remoteHost: 'https://ollama.com', modified: '2026-03-01T00:00:00Z' },
  })
  const models = new Map(backend.models().map(m => [m.name, m]))
  expect(models.get('embed:latest')).toMatchObject({ embeds: true, contextTokens: 8192, engine: 'ollama' })
  expect(models.get('llama:8b')).toMatchObject({ embeds: false, loaded: false, contextTokens: 4096 })
  expect(models.get('old:latest')).toMatchObject({ loaded: true, contextTokens: 4096, workers: ['w1'] })
  expect(backend.defaultModel()).toBe('llama:8b')
  expect(backend.has('OLD')).toBe(true)
  expect(backend.has('llama')).toBe(false)
  ollama.set('newest', { modified: '2026-09-01T00:00:00Z' })
  expect(await backend.refresh()).toBe(true)
  expect(backend.defaultModel()).toBe('llama:8b')
  expect(await backend.refresh()).toBe(false)
  ollama.remove('llama:8b')
  await backend.refresh()
  expect(backend.defaultModel()).toBe('newest:latest')
})

test('knows an embedding model of an Ollama that names no capabilities', async () => {
  const { backend } = await open({
    bert: { dimensions: 8, capabilities: null },
    llama: { capabilities: null },
  })
  expect(backend.models().find(m => m.name === 'bert:latest')?.embeds).toBe(true)
  expect(backend.defaultModel()).toBe('llama:latest')
})

async function pulled(backend: OllamaBackend, name: string, signal = new AbortController().signal) {
  const frames: PullFrame[] = []
  for await (const f of backend.pull(name, { signal })) frames.push(f)
  return frames
}

const LAYERS = [
  { digest: `sha256:${'a'.repeat(64)}`, total: 1000 },
  { digest: `sha256:${'b'.repeat(64)}`, total: 50 },
]

test('a download shows its progress, ends with the model there, and two callers share one', async () => {
  const { ollama, backend } = await open({})
  ollama.library.set('tiny', { layers: LAYERS, everyMs: 20 })
  const [first, second] = await Promise.all([pulled(backend, 'tiny'), pulled(backend, 'tiny')])
  expect(ollama.requests.filter(r => r.path === '/api/pull')).toHaveLength(1)
  expect(first.at(-1)).toEqual({ type: 'done', model: 'tiny' })
  expect(second.at(-1)).toEqual({ type: 'done', model: 'tiny' })
  expect(first).toContainEqual(
    expect.objectContaining({ type: 'progress', completedBytes: 50, totalBytes: 50 }),
  )
  expect(backend.defaultModel()).toBe('tiny:latest')
  await backend.removeModel('tiny', { signal: new AbortController().signal })
  expect(backend.has('tiny')).toBe(false)
})

test('a download goes on for those who stay, and ends with the last who leaves', async () => {
  const { ollama, backend } = await open({})
  ollama.library.set('big', { layers: LAYERS, everyMs: 20, steps: 1000 })
  const [one, two] = [new AbortController(), new AbortController()]
  const first = pulled(backend, 'big', one.signal).catch(() => 'left')
  const second = pulled(backend, 'big', two.signal).catch(() => 'left')
  await vi.waitFor(() => expect(ollama.requests).toHaveLength(1))
  one.abort()
  expect(await first).toBe('left')
  expect(ollama.live()).toBe(1)
  two.abort()
  expect(await second).toBe('left')
  await vi.waitFor(() => expect(ollama.live()).toBe(0))
})

test('a download of a model that does not exist, or that breaks, is an error and no end', async () => {
  const { ollama, backend } = await open({})
  await expect(pulled(backend, 'nothing')).rejects.toMatchObject({ status: 404, code: 'no_model' })
  ollama.library.set('broken', { layers: LAYERS, error: 'max retries exceeded: EOF' })
  await expect(pulled(backend, 'broken')).rejects.toMatchObject({ status: 502 })
})
