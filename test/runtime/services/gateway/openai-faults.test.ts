import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitFor } from '../../../../src/retry.ts'
import { type Cluster, startCluster } from '../../../helpers/cluster.ts'
import {
  type OllamaStandIn,
  type Script,
  startOllamaStandIn,
} from '../../../helpers/ollama-stand-in/index.ts'
import { all, clientOf } from './openai-client.ts'

let standIn: OllamaStandIn
let cluster: Cluster
let client: OpenAI

const TOKENS = Array.from({ length: 60 }, (_, i) => `<${i} 日本🌍>`)
const messages = [{ role: 'user' as const, content: 'Go on.' }]
const BAD_ENDS: Record<string, Script> = {
  'ends without its last message': { cutAfter: { tokens: 5, how: 'clean' } },
  'ends within a line': { cutAfter: { tokens: 5, how: 'line' } },
  'is reset': { cutAfter: { tokens: 5, how: 'hard' } },
  'tells of an error': { errorAfter: 5 },
  'sends a line that is not JSON': { garbageAfter: 5 },
}

beforeAll(async () => {
  standIn = await startOllamaStandIn({
    models: {
      plain: {},
      long: { tokens: TOKENS, everyMs: 1 },
      pieces: { tokens: TOKENS, pieceBytes: 3 },
      slow: { tokens: TOKENS, everyMs: 500 },
      thinking: { prefillMs: 1_500 },
      mixed: { reorder: 4 },
      broken: { fail: { status: 500, error: 'it broke' } },
      busy: { fail: { status: 503, error: 'server busy, please try again' } },
    },
  })
  for (const [i, script] of Object.values(BAD_ENDS).entries())
    standIn.set(`bad-${i}`, { tokens: TOKENS, everyMs: 5, ...script })
  cluster = await startCluster({ ollama: standIn.url })
  client = clientOf(cluster)
}, 60_000)

afterAll(async () => {
  await cluster?.stop()
  await standIn?.stop()
}, 60_000)

const textOf = (chunks: OpenAI.ChatCompletionChunk[]) =>
  chunks.map(c => c.choices[0]?.delta.content ?? '').join('')

describe('a stream', () => {
  test.each(['long', 'pieces'])('has every token once and in order: %s', async model => {
    const streams = Array.from({ length: 4 }, async () =>
      all(await client.chat.completions.create({ model, messages, stream: true })),
    )
    for (const chunks of await Promise.all(streams)) {
      expect(textOf(chunks)).toBe(TOKENS.join(''))
      expect(chunks.filter(c => c.choices[0]?.finish_reason).map(c => c.choices[0]!.finish_reason)).toEqual([
        'stop',
      ])
    }
  })

  test('ends with [DONE] on the wire', async () => {
    const text = await (await post({ model: 'long', messages, stream: true })).text()
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(text.split('[DONE]')).toHaveLength(2)
  })

  test('says at once that it waits, so that no proxy takes the line for dead', async () => {
    const chunks = await all(
      await client.chat.completions.create({ model: 'thinking', messages, stream: true }),
    )
    expect(textOf(chunks)).toBe('You said: Go on.')
    const raw = await (await post({ model: 'thinking', messages, stream: true })).text()
    expect(raw.startsWith(': waiting\n\n')).toBe(true)
  })
})

describe('an answer whose engine', () => {
  test.each(
    Object.keys(BAD_ENDS).map((says, i) => ({ says, model: `bad-${i}` })),
  )('$says is an error in the client and never complete', async ({ model }) => {
    const chunks: OpenAI.ChatCompletionChunk[] = []
    const read = async () => {
      for await (const c of await client.chat.completions.create({ model, messages, stream: true }))
        chunks.push(c)
    }
    await expect(read()).rejects.toThrow(OpenAI.APIError)
    expect(TOKENS.join('').startsWith(textOf(chunks))).toBe(true)
    expect(chunks.some(c => c.choices[0]?.finish_reason)).toBe(false)

    await expect(client.chat.completions.create({ model, messages })).rejects.toThrow(
      OpenAI.InternalServerError,
    )
  })

  test('failed is a cut connection for whoever reads the wire: no [DONE], no proper end', async () => {
    const reply = await post({ model: 'bad-3', messages, stream: true })
    let text = ''
    const read = async () => {
      for await (const piece of reply.body!) text += Buffer.from(piece).toString()
    }
    await expect(read()).rejects.toThrow()
    expect(text).toContain('"error"')
    expect(text).not.toContain('[DONE]')
  })

  test('fails at once is an error with a status, streamed or not', async () => {
    for (const stream of [false, true]) {
      const failed = client.chat.completions.create({ model: 'broken', messages, stream })
      await expect(failed).rejects.toThrow(OpenAI.InternalServerError)
      const busy = await client.chat.completions
        .create({ model: 'busy', messages, stream })
        .catch(thrown => thrown)
      expect(busy).toMatchObject({ status: 503, type: 'server_error' })
      expect(Number(busy.headers.get('retry-after'))).toBeGreaterThan(0)
    }
  })

  test('begins the last question first still gives each its own answer', async () => {
    const words = ['one', 'two', 'three', 'four']
    const answers = await Promise.all(
      words.map(content =>
        client.chat.completions.create({ model: 'mixed', messages: [{ role: 'user', content }] }),
      ),
    )
    expect(answers.map(a => a.choices[0]!.message.content)).toEqual(words.map(w => `You said: ${w}`))
  })
})

describe('a client that leaves', () => {
  const free = async () => {
    const began = performance.now()
    await waitFor({ says: 'the engine to be free', deadlineMs: 10_000, everyMs: 20 }, () =>
      standIn.live() === 0 ? true : undefined,
    )
    return performance.now() - began
  }

  test('in the middle of a stream frees the engine within 2 s', async () => {
    const stream = await client.chat.completions.create({ model: 'slow', messages, stream: true })
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
    stream.controller.abort()
    expect(await free()).toBeLessThan(2_000)
  })

  test('while it waits for a whole answer does so too', async () => {
    const abort = new AbortController()
    const asked = client.chat.completions.create({ model: 'slow', messages }, { signal: abort.signal })
    await waitFor({ says: 'the engine to begin', deadlineMs: 10_000, everyMs: 10 }, () =>
      standIn.live() > 0 ? true : undefined,
    )
    abort.abort()
    await expect(asked).rejects.toThrow(OpenAI.APIUserAbortError)
    expect(await free()).toBeLessThan(2_000)
  })
})

describe('a body', () => {
  const GOOD = { model: 'plain', messages }
  const refused: [string, string | Buffer, number][] = [
    ['over the limit', JSON.stringify({ ...GOOD, pad: 'x'.repeat(1024 * 1024) }), 413],
    ['that is not JSON', '{"model": "plain", "messages": [', 400],
    ['with a NUL byte', JSON.stringify(GOOD).replace('Go', 'G\u0000'), 400],
    [
      'that is not UTF-8',
      Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
      400,
    ],
    ['nested without end', `{"model":"plain","messages":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 400],
    [
      'with a schema nested without end',
      `{"model":"plain","messages":${JSON.stringify(messages)},"response_format":{"type":"json_schema","json_schema":{"schema":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}}}`,
      400,
    ],
    ['that is a list', '[]', 400],
    ['that is empty', '', 400],
  ]

  test.each(refused)("%s is the caller's mistake, told in OpenAI's shape", async (_says, body, status) => {
    const reply = await postRaw(body)
    const told = (await reply.json()) as { error: { message: string; type: string; code: string } }
    expect({ status: reply.status, told }).toEqual({
      status,
      told: {
        error: {
          message: expect.any(String),
          type: 'invalid_request_error',
          param: null,
          code: expect.any(String),
        },
      },
    })
  })

  test('with an escaped NUL is answered without it', async () => {
    const answer = await client.chat.completions.create({
      model: 'plain',
      messages: [{ role: 'user', content: 'a\u0000b' }],
    })
    expect(answer.choices[0]!.message.content).toBe('You said: ab')
  })
})

test('a cluster that is killed in the middle of a stream is an error in the client', async () => {
  const own = await startCluster({ ollama: standIn.url })
  try {
    const stream = await clientOf(own).chat.completions.create({ model: 'slow', messages, stream: true })
    const read = async () => {
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) process.kill(own.pid, 'SIGKILL')
    }
    await expect(read()).rejects.toThrow()
  } finally {
    await own.stop()
  }
}, 60_000)

const post = (body: object) => postRaw(JSON.stringify(body))

const postRaw = (body: string | Buffer) =>
  fetch(`${cluster.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cluster.key}`, 'content-type': 'application/json' },
    body: body as string,
  })
