import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cluster } from '../../../helpers/cluster.ts'
import { all, ask, clientOf } from './openai-client.ts'
import { refusals } from './openai-refusals.ts'

/** What the suite needs of a cluster: models by what they are asked for. */
export interface Stand {
  cluster: Cluster
  chat: string
  /** Answers JSON when it is asked for JSON; the chat model where that is enough. */
  json: string
  /** Absent: this stand has no embedding model. */
  embed?: string
  stop(): Promise<void>
}

/** What the official client must be able to do, whatever answers behind the worker; `more` are tests of one stand alone. */
export function openAiSuite(title: string, start: () => Promise<Stand>, more?: () => void): void {
  describe(title, () => {
    let stand: Stand
    let client: OpenAI

    beforeAll(async () => {
      stand = await start()
      client = clientOf(stand.cluster)
    }, 120_000)
    afterAll(() => stand?.stop(), 60_000)

    test('answers a chat as one document', async () => {
      const answer = await client.chat.completions.create({
        model: stand.chat,
        messages: [{ role: 'system', content: 'Be short.' }, ...ask('Say hello.')],
        max_tokens: 200,
      })
      expect(answer).toMatchObject({ object: 'chat.completion', model: stand.chat })
      expect(answer.choices).toHaveLength(1)
      expect(answer.choices[0]).toMatchObject({ index: 0, message: { role: 'assistant' } })
      expect(answer.choices[0]!.message.content!.trim()).not.toBe('')
      expect(['stop', 'length']).toContain(answer.choices[0]!.finish_reason)
      const { prompt_tokens, completion_tokens, total_tokens } = answer.usage!
      expect(prompt_tokens).toBeGreaterThan(0)
      expect(completion_tokens).toBeGreaterThan(0)
      expect(total_tokens).toBe(prompt_tokens + completion_tokens)
    })

    test('streams a chat: role first, texts, then the reason, then the usage', async () => {
      const chunks = await all(
        await client.chat.completions.create({
          model: stand.chat,
          messages: ask('Count from one to ten.'),
          max_tokens: 100,
          stream: true,
          stream_options: { include_usage: true },
        }),
      )
      expect(new Set(chunks.map(c => `${c.id} ${c.object} ${c.model}`)).size).toBe(1)
      expect(chunks[0]!.choices[0]!.delta.role).toBe('assistant')
      const withChoice = chunks.filter(c => c.choices.length > 0)
      expect(withChoice.slice(0, -1).every(c => c.choices[0]!.finish_reason === null)).toBe(true)
      expect(['stop', 'length']).toContain(withChoice.at(-1)!.choices[0]!.finish_reason)
      expect(
        withChoice
          .map(c => c.choices[0]!.delta.content ?? '')
          .join('')
          .trim(),
      ).not.toBe('')
      expect(chunks.at(-1)!.choices).toEqual([])
      expect(chunks.at(-1)!.usage!.completion_tokens).toBeGreaterThan(0)
      expect(chunks.slice(0, -1).every(c => !c.usage)).toBe(true)
    })

    test('streams without the usage when nobody asked for it', async () => {
      const chunks = await all(
        await client.chat.completions.create({
          model: stand.chat,
          messages: ask('Hi.'),
          max_tokens: 20,
          stream: true,
        }),
      )
      expect(chunks.every(c => c.choices.length === 1 && !c.usage)).toBe(true)
    })

    test("works with the client's own stream helper", async () => {
      const stream = client.chat.completions.stream({
        model: stand.chat,
        messages: ask('Hi.'),
        max_tokens: 50,
      })
      let heard = ''
      stream.on('content', text => {
        heard += text
      })
      const done = await stream.finalChatCompletion()
      expect(done.choices[0]!.message.content).toBe(heard)
      expect(heard.trim()).not.toBe('')
    })

    test('takes content in parts, and the role `developer`', async () => {
      const answer = await client.chat.completions.create({
        model: stand.chat,
        messages: [
          { role: 'developer', content: 'Be short.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Say ' },
              { type: 'text', text: 'hello.' },
            ],
          },
        ],
        max_tokens: 50,
      })
      expect(answer.choices[0]!.message.content!.trim()).not.toBe('')
    })

    test('stops at max_tokens and says so', async () => {
      const messages = ask('Count from one to one hundred, in words.')
      for (const limit of [{ max_tokens: 3 }, { max_completion_tokens: 3 }]) {
        const answer = await client.chat.completions.create({ model: stand.chat, messages, ...limit })
        expect(answer.choices[0]!.finish_reason).toBe('length')
        expect(answer.usage!.completion_tokens).toBeLessThanOrEqual(3)
      }
    })

    test('gives the same answer for the same seed', async () => {
      const once = () =>
        client.chat.completions.create({
          model: stand.chat,
          messages: ask('Name a colour.'),
          seed: 7,
          temperature: 0,
          max_tokens: 20,
        })
      const [a, b] = [await once(), await once()]
      expect(a.choices[0]!.message.content).toBe(b.choices[0]!.message.content)
    })

    test('answers JSON when JSON is asked for, and by a schema', async () => {
      const schema = {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
      }
      for (const response_format of [
        { type: 'json_object' as const },
        { type: 'json_schema' as const, json_schema: { name: 'city', schema, strict: true } },
      ]) {
        const answer = await client.chat.completions.create({
          model: stand.json,
          messages: ask('Which city is the capital of France? Answer as JSON with the field city.'),
          max_tokens: 200,
          response_format,
        })
        const made = JSON.parse(answer.choices[0]!.message.content!)
        if (response_format.type === 'json_schema') expect(made).toEqual({ city: expect.any(String) })
      }
    })

    test('answers the older completions, whole and streamed', async () => {
      const o = { model: stand.chat, prompt: 'Say hello.', max_tokens: 50 }
      const whole = await client.completions.create(o)
      expect(whole).toMatchObject({ object: 'text_completion', model: stand.chat })
      expect(whole.choices[0]!.text.trim()).not.toBe('')
      const chunks = await all(await client.completions.create({ ...o, stream: true }))
      expect(
        chunks
          .map(c => c.choices[0]!.text)
          .join('')
          .trim(),
      ).not.toBe('')
      expect(['stop', 'length']).toContain(chunks.at(-1)!.choices[0]!.finish_reason)
    })

    test('makes vectors, as numbers and as base64', async ctx => {
      if (!stand.embed) return ctx.skip('this Ollama has no embedding model')
      const o = { model: stand.embed, input: ['a cat', 'a dog'] }
      const floats = await client.embeddings.create({ ...o, encoding_format: 'float' })
      // Without a format the client asks for base64 and decodes it itself.
      const decoded = await client.embeddings.create(o)
      expect(floats.data.map(d => d.index)).toEqual([0, 1])
      expect(decoded.data).toHaveLength(2)
      for (const [i, { embedding }] of floats.data.entries()) {
        expect(embedding.length).toBeGreaterThan(7)
        const other = Array.from(decoded.data[i]!.embedding)
        expect(other).toEqual(embedding.map(n => expect.closeTo(n, 4)))
      }
      expect(floats.usage.total_tokens).toBeGreaterThan(0)
      const one = await client.embeddings.create({ model: stand.embed, input: 'a cat' })
      expect(one.data).toHaveLength(1)
    })

    test('lists its models and shows one', async () => {
      const listed = await all(await client.models.list())
      expect(listed.map(m => m.id)).toContain(stand.chat)
      const one = await client.models.retrieve(stand.chat)
      expect(one).toEqual({
        id: stand.chat,
        object: 'model',
        created: expect.any(Number),
        owned_by: expect.any(String),
      })
    })

    refusals(() => stand)
    more?.()

    test('is unreachable with APIConnectionError where nothing listens', async () => {
      const nowhere = new OpenAI({ apiKey: 'x', baseURL: 'http://127.0.0.1:1/v1', maxRetries: 0 })
      await expect(nowhere.models.list()).rejects.toThrow(OpenAI.APIConnectionError)
    })
  })
}
