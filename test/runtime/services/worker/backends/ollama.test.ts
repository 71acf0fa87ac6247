import { expect, test, vi } from 'vitest'
import type { GenerateRequest, WorkerFrame } from '../../../../../src/contracts/worker.ts'
import type { OllamaBackend } from '../../../../../src/runtime/services/worker/backends/ollama/index.ts'
import type { Script } from '../../../../helpers/ollama-stand-in/index.ts'
import { request, textOf } from '../running.ts'
import { open } from './open-ollama.ts'

async function collect(
  backend: OllamaBackend,
  body: Partial<GenerateRequest> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<{ frames: WorkerFrame[]; thrown?: unknown }> {
  const frames: WorkerFrame[] = []
  try {
    for await (const f of backend.generate(request({ model: 'llama', ...body }), { signal })) frames.push(f)
    return { frames }
  } catch (thrown) {
    return { frames, thrown }
  }
}

test('streams text token by token and ends with the usage and the reason that Ollama gave', async () => {
  const { backend } = await open({ llama: { tokens: ['Hel', 'lo', ' wörld', ' 世界'], everyMs: 20 } })
  const { frames } = await collect(backend)
  expect(frames.map(f => f.type)).toEqual(['text', 'text', 'text', 'text', 'end'])
  expect(textOf(frames)).toBe('Hello wörld 世界')
  expect(frames.at(-1)).toMatchObject({ finish: 'stop', usage: { promptTokens: 6, completionTokens: 4 } })
})

test('puts lines and characters together wherever the network split them', async () => {
  for (const pieceBytes of [1, 7, 64]) {
    const { backend } = await open({ llama: { tokens: ['a', 'ö世', '\u{1F600}"\\\n', 'b'], pieceBytes } })
    const { frames } = await collect(backend)
    expect(textOf(frames)).toBe('aö世\u{1F600}"\\\nb')
  }
})

test('hands the sampling options on in the terms of Ollama', async () => {
  const { ollama, backend } = await open({ llama: {} })
  const sampling = {
    maxTokens: 2,
    temperature: 0.5,
    topP: 0.9,
    stop: ['END'],
    seed: 7,
    format: { type: 'object' },
  }
  const { frames } = await collect(backend, { sampling })
  expect(ollama.requests[0]?.body).toMatchObject({
    model: 'llama',
    stream: true,
    format: { type: 'object' },
    options: { num_predict: 2, temperature: 0.5, top_p: 0.9, stop: ['END'], seed: 7 },
  })
  expect(frames.at(-1)).toMatchObject({ finish: 'length', usage: { completionTokens: 2 } })
})

test('says that a model loads, then that it reads the prompt', async () => {
  const { backend } = await open({ llama: { loadMs: 600, prefillMs: 1_200, tokens: ['hi'] } })
  const { frames } = await collect(backend)
  const states = frames.filter(f => f.type === 'state')
  expect(states).toEqual([
    { type: 'state', state: 'loading' },
    { type: 'state', state: 'prefill' },
  ])
  expect(textOf(frames)).toBe('hi')
})

test.each([
  ['an error line', { errorAfter: 2 }, 'engine'],
  ['a stream without its last message', { cutAfter: { tokens: 2, how: 'clean' } }, 'cut'],
  ['a stream cut within a line', { cutAfter: { tokens: 2, how: 'line' } }, 'cut'],
  ['a reset connection', { cutAfter: { tokens: 2, how: 'hard' } }, 'cut'],
  ['a line that is not JSON', { garbageAfter: 2 }, 'cut'],
] as [string, Script, string][])('never takes %s for a complete answer', async (_, script, code) => {
  const { ollama, backend } = await open({ llama: { tokens: ['a', 'b', 'c', 'd'], everyMs: 2, ...script } })
  const { frames, thrown } = await collect(backend)
  expect(thrown).toMatchObject({ name: 'Refusal', status: 502, code })
  expect(textOf(frames)).toBe('ab')
  expect(frames.some(f => f.type === 'end')).toBe(false)
  await vi.waitFor(() => expect(ollama.live()).toBe(0))
})

test.each([
  [
    503,
    'server busy, please try again.  maximum pending requests exceeded',
    { status: 503, retryAfterSeconds: 1 },
  ],
  [400, '"llama" does not support chat', { status: 400 }],
  [500, 'model requires more system memory (9.0 GiB) than is available', { status: 502, code: 'engine' }],
])('turns a refusal of status %i into ours', async (status, error, ours) => {
  const { backend } = await open({ llama: { fail: { status, error } } })
  const { thrown } = await collect(backend)
  expect(thrown).toMatchObject(ours)
})

test('names the command that downloads a model that Ollama does not have', async () => {
  const { backend } = await open({})
  const { thrown } = await collect(backend, { model: 'nemo' })
  expect(thrown).toMatchObject({
    status: 404,
    message: 'Ollama has no model nemo.',
    next: expect.stringContaining('llmagentos model pull nemo'),
  })
})

test('says that Ollama does not answer when the connection is refused', async () => {
  const { ollama, backend } = await open({ llama: {} })
  await ollama.stop()
  const { thrown } = await collect(backend)
  expect(thrown).toMatchObject({ status: 503, code: 'no_ollama', retryAfterSeconds: 3 })
})

test.each([
  ['while it loads', { loadMs: 60_000 }],
  ['before the first token', { prefillMs: 60_000 }],
  ['between tokens', { tokens: Array(1000).fill('x '), everyMs: 20 }],
])('a cancel %s ends the request at Ollama at once', async (_, script: Script) => {
  const { ollama, backend } = await open({ llama: script })
  const gone = new AbortController()
  const reason = new Error('the caller went away')
  const collected = collect(backend, {}, gone.signal)
  await vi.waitFor(() => expect(ollama.requests).toHaveLength(1))
  gone.abort(reason)
  expect((await collected).thrown).toBe(reason)
  await vi.waitFor(() => expect(ollama.live()).toBe(0))
  expect(ollama.abandoned()).toBe(1)
})

test('a consumer that stops reading ends the request too', async () => {
  const { ollama, backend } = await open({ llama: { tokens: Array(1000).fill('x '), everyMs: 5 } })
  for await (const f of backend.generate(request({ model: 'llama' }), {
    signal: new AbortController().signal,
  }))
    if (f.type === 'text') break
  await vi.waitFor(() => expect(ollama.live()).toBe(0))
})

test('answers that overtake each other stay with their own callers', async () => {
  const { backend } = await open({ llama: { reorder: 5 } })
  const all = await Promise.all(
    ['a1', 'b2', 'c3', 'd4', 'e5'].map(content =>
      collect(backend, { messages: [{ role: 'user', content }] }),
    ),
  )
  expect(all.map(a => textOf(a.frames))).toEqual(['a1', 'b2', 'c3', 'd4', 'e5'].map(c => `You said: ${c}`))
})

test('makes vectors, and refuses to with a model that cannot', async () => {
  const { backend } = await open({ embed: { dimensions: 8 }, llama: {} })
  const o = { signal: new AbortController().signal }
  const answer = await backend.embed({ model: 'embed', input: ['one two', 'three'] }, o)
  expect(answer.vectors.map(v => v.length)).toEqual([8, 8])
  expect(answer.usage).toEqual({ promptTokens: 3, completionTokens: 0 })
  await expect(backend.embed({ model: 'llama', input: ['x'] }, o)).rejects.toMatchObject({ status: 400 })
})
