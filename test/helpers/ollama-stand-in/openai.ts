import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Body, json } from './body.ts'
import type { Held } from './state.ts'
import { promptTokens, tokensFor } from './tokens.ts'

/** `/v1/chat/completions`, as Ollama itself offers it. */
export async function openai(held: Held, body: Body, res: ServerResponse): Promise<void> {
  const { tokens, reason } = tokensFor(held.script, body)
  const head = { id: 'chatcmpl-1', created: Math.floor(Date.now() / 1000), model: body.model }
  const usage = {
    prompt_tokens: promptTokens(body),
    completion_tokens: tokens.length,
    total_tokens: promptTokens(body) + tokens.length,
  }
  if (!body.stream) {
    const message = { role: 'assistant', content: tokens.join('') }
    const choices = [{ index: 0, message, finish_reason: reason }]
    return json(res, 200, { ...head, object: 'chat.completion', choices, usage })
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = (delta: object, finish: string | null) =>
    res.write(
      `data: ${JSON.stringify({
        ...head,
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta, finish_reason: finish }],
      })}\n\n`,
    )
  for (const [i, content] of tokens.entries()) {
    if (i > 0 && held.script.everyMs) await sleep(held.script.everyMs)
    if (res.destroyed) return
    event({ role: 'assistant', content }, null)
  }
  event({}, reason)
  res.end('data: [DONE]\n\n')
}
