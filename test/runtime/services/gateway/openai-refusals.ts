import OpenAI from 'openai'
import { beforeAll, describe, expect, test } from 'vitest'
import { all, ask, clientOf, newKey } from './openai-client.ts'
import type { Stand } from './openai-suite.ts'

/** What the official client must be told when it asks for what it cannot have. */
export function refusals(start: () => Stand): void {
  describe('refuses', () => {
    let client: OpenAI
    let stand: Stand
    beforeAll(() => {
      stand = start()
      client = clientOf(stand.cluster)
    })

    test('a wrong key with AuthenticationError', async () => {
      const none = clientOf(stand.cluster, { key: `lao_${'a'.repeat(16)}_${'b'.repeat(43)}` })
      await expect(none.models.list()).rejects.toThrow(OpenAI.AuthenticationError)
      const notOurs = clientOf(stand.cluster, { key: 'sk-123' })
      await expect(notOurs.models.list()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
    })

    test('a model that the key may not use with PermissionDeniedError', async () => {
      const key = await newKey(stand.cluster, { models: ['another'] })
      const asked = clientOf(stand.cluster, { key }).chat.completions.create({
        model: stand.chat,
        messages: ask('Hi.'),
      })
      await expect(asked).rejects.toThrow(OpenAI.PermissionDeniedError)
      expect(await all(await clientOf(stand.cluster, { key }).models.list())).toEqual([])
    })

    test('a scope that the key does not have with PermissionDeniedError', async () => {
      const key = await newKey(stand.cluster, { scopes: ['ask'] })
      await expect(clientOf(stand.cluster, { key }).models.list()).rejects.toThrow(
        OpenAI.PermissionDeniedError,
      )
    })

    test('a model that is not there with NotFoundError', async () => {
      const asked = client.chat.completions.create({ model: 'no-such-model', messages: ask('Hi.') })
      await expect(asked).rejects.toThrow(OpenAI.NotFoundError)
      await expect(asked).rejects.toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' })
      await expect(client.models.retrieve('no-such-model')).rejects.toThrow(OpenAI.NotFoundError)
    })

    test('more requests than the key has with RateLimitError that says when to come back', async () => {
      const key = await newKey(stand.cluster, { limits: { requestsPerMinute: 1 } })
      const limited = clientOf(stand.cluster, { key })
      const once = () =>
        limited.chat.completions.create({ model: stand.chat, messages: ask('Hi.'), max_tokens: 5 })
      await once()
      const refused = await once().catch(thrown => thrown)
      expect(refused).toBeInstanceOf(OpenAI.RateLimitError)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(refused).toMatchObject({ type: 'rate_limit_error', code: 'rate_limited' })
    })

    test('what makes no sense with BadRequestError', async () => {
      const o = { model: stand.chat, messages: ask('Hi.') }
      const wrong: [string, object][] = [
        ['no messages', { ...o, messages: [] }],
        ['a temperature of 3', { ...o, temperature: 3 }],
        ['two answers', { ...o, n: 2 }],
        ['tools', { ...o, tools: [{ type: 'function', function: { name: 'f' } }] }],
        [
          'a picture',
          { ...o, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
        ],
        ['an empty question', { ...o, messages: ask('  ') }],
      ]
      for (const [says, body] of wrong) {
        const asked = client.chat.completions.create(body as typeof o)
        await expect(asked, says).rejects.toThrow(OpenAI.BadRequestError)
      }
    })

    test('a chat with a model that makes vectors', async ctx => {
      if (!stand.embed) return ctx.skip('this Ollama has no embedding model')
      const chat = client.chat.completions.create({ model: stand.embed, messages: ask('Hi.') })
      await expect(chat).rejects.toThrow(OpenAI.BadRequestError)
    })
  })
}
