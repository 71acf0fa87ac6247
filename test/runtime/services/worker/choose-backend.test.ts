import { expect, test, vi } from 'vitest'
import type { WorkerFrame } from '../../../../src/contracts/worker.ts'
import { engineOf, freePort, open, standIn, withoutInstalledOllama } from './engines.ts'
import { request, textOf } from './running.ts'

withoutInstalledOllama()

test('without any Ollama it quotes, says why, and what to do', async () => {
  const { engines } = await open(`http://127.0.0.1:${await freePort()}`)
  expect(engines.current()).toMatchObject({
    engine: 'extractive',
    defaultModel: 'extractive',
    missing: [],
    note: expect.stringMatching(/^No Ollama answers at .* and none is installed.*cluster up --model/),
  })
  expect(() => engines.forModel('llama')).toThrowError(expect.objectContaining({ status: 404 }))
})

test('an Ollama with a chat model is used, and quoting stays there by its name', async () => {
  const { url } = await standIn({ llama: {}, embed: { dimensions: 4 } })
  const { engines } = await open(url)
  expect(engines.current()).toEqual({ engine: 'ollama', defaultModel: 'llama:latest', missing: [] })
  expect(
    engines
      .models()
      .map(m => m.name)
      .sort(),
  ).toEqual(['embed:latest', 'extractive', 'llama:latest'])
  expect(engines.forModel('extractive').name).toBe('extractive')
  expect(engines.forModel('llama').name).toBe('ollama')
})

test('an Ollama without a chat model quotes, until it gets its first one, without a restart', async () => {
  const ollama = await standIn({ embed: { dimensions: 4 } })
  const { engines, changed } = await open(ollama.url)
  expect(engines.current()).toMatchObject({
    engine: 'extractive',
    note: expect.stringContaining('has no model'),
  })
  const { vectors } = await engines.embed(
    { model: 'embed', input: ['a'] },
    { signal: new AbortController().signal },
  )
  expect(vectors[0]).toHaveLength(4)
  ollama.set('llama')
  await vi.waitFor(() => expect(engineOf(engines)).toBe('ollama llama:latest'))
  expect(changed).toHaveBeenCalled()
})

test('a download makes the model the engine at once', async () => {
  const ollama = await standIn()
  const { engines } = await open(ollama.url)
  ollama.library.set('tiny', { layers: [{ digest: 'sha256:1', total: 10 }] })
  for await (const _ of engines.pull('tiny', { signal: new AbortController().signal }));
  expect(engineOf(engines)).toBe('ollama tiny:latest')
  await engines.removeModel('tiny', { signal: new AbortController().signal })
  expect(engineOf(engines)).toBe('extractive extractive')
})

test('an Ollama that goes away and comes back changes the engine there and back', async () => {
  const first = await standIn({ llama: {} })
  const { engines } = await open(first.url)
  expect(engineOf(engines)).toBe('ollama llama:latest')
  await first.stop()
  await vi.waitFor(() => expect(engineOf(engines)).toBe('extractive extractive'))
  expect(() => engines.forModel('llama')).toThrowError(expect.objectContaining({ status: 503 }))
  expect(engines.models().map(m => m.name)).toEqual(['extractive'])
  await standIn({ llama: {} }, { port: first.port })
  await vi.waitFor(() => expect(engineOf(engines)).toBe('ollama llama:latest'))
})

test('an Ollama that hangs is told of once, and used again when it answers', async () => {
  const ollama = await standIn({ llama: {} })
  const hangs = vi.fn()
  const { engines } = await open(ollama.url, {}, { hangs, patienceMs: 50 })
  ollama.hangs = true
  await vi.waitFor(() => expect(engineOf(engines)).toBe('extractive extractive'), 5_000)
  expect(hangs).toHaveBeenCalledWith(
    expect.objectContaining({ status: 503, message: expect.stringContaining('answers none') }),
  )
  ollama.hangs = false
  await vi.waitFor(() => expect(engineOf(engines)).toBe('ollama llama:latest'), 5_000)
  expect(hangs).toHaveBeenCalledTimes(1)
})

test('an answer that runs ends with the engine that it began on', async () => {
  const ollama = await standIn({ llama: { tokens: Array(20).fill('x'), everyMs: 10 } })
  const { engines } = await open(ollama.url)
  const frames: WorkerFrame[] = []
  const backend = engines.forModel('llama')
  for await (const f of backend.generate(request({ model: 'llama' }), {
    signal: new AbortController().signal,
  })) {
    if (frames.length === 2) ollama.remove('llama')
    frames.push(f)
  }
  expect(textOf(frames)).toBe('x'.repeat(20))
  await vi.waitFor(() => expect(engineOf(engines)).toBe('extractive extractive'))
})

test('the configured model is the default, and its absence is said', async () => {
  const ollama = await standIn({ newer: { modified: '2026-05-01T00:00:00Z' }, mine: {} })
  const { engines } = await open(ollama.url, { model: 'mine' })
  expect(engineOf(engines)).toBe('ollama mine:latest')
  ollama.remove('mine')
  await vi.waitFor(() => expect(engineOf(engines)).toBe('ollama newer:latest'))
  expect(engines.current().note).toContain('Ollama has no model mine')
})

test('a worker that must use Ollama is not ready without it and does not quote instead', async () => {
  const port = await freePort()
  const { engines } = await open(`http://127.0.0.1:${port}`, { backend: 'ollama' })
  expect(engines.current()).toMatchObject({ engine: 'ollama', defaultModel: '' })
  expect(engines.current().missing).toHaveLength(1)
  await standIn({ llama: {} }, { port })
  await vi.waitFor(() => expect(engines.current().missing).toEqual([]))
})

test.each([
  ['0.16.3', /CVE-2026-7482.*CVE-2026-7020/],
  ['0.20.2', /known holes: CVE-2026-7020/],
  ['0.20.3', undefined],
  ['0.24.0', undefined],
])('notes the known holes of Ollama %s', async (version, says) => {
  const { url } = await standIn({ llama: {} }, { version })
  const { engines } = await open(url)
  if (says) expect(engines.current().note).toMatch(says)
  else expect(engines.current().note).toBeUndefined()
})
