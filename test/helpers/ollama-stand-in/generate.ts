import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Body, json } from './body.ts'
import type { Script } from './script.ts'
import { spoil } from './spoil.ts'
import type { Held, State } from './state.ts'
import { promptTokens, tokensFor } from './tokens.ts'

/** `/api/chat` and `/api/generate`. */
export async function generate(
  state: State,
  held: Held,
  o: { body: Body; path: string; res: ServerResponse },
): Promise<void> {
  const { script } = held
  const { body, res } = o
  if (script.dimensions) return json(res, 400, { error: `"${body.model}" does not support chat` })
  if (!held.loaded) await sleep(script.loadMs ?? 0)
  held.loaded = true
  if (script.prefillMs) await sleep(script.prefillMs)
  await turn(state, script)
  const { tokens, reason } = tokensFor(script, body)
  const message = (content: string) =>
    o.path === '/api/chat' ? { message: { role: 'assistant', content } } : { response: content }
  const head = { model: body.model, created_at: new Date().toISOString() }
  const figures = {
    total_duration: 5_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: promptTokens(body),
    prompt_eval_duration: 1_000_000,
    eval_count: tokens.length,
    eval_duration: 3_000_000,
  }
  const last = { ...head, done: true, done_reason: reason, ...figures }
  if (body.stream === false) {
    for (const _ of tokens) if (script.everyMs) await sleep(script.everyMs)
    return json(res, 200, { ...last, ...message(tokens.join('')) })
  }
  res.writeHead(200, { 'content-type': 'application/x-ndjson' })
  for (const [i, token] of tokens.entries()) {
    if (i > 0 && script.everyMs) await sleep(script.everyMs)
    if (res.destroyed || (await spoil(script, i, res))) return
    await write(res, `${JSON.stringify({ ...head, ...message(token), done: false })}\n`, script.pieceBytes)
  }
  if (await spoil(script, tokens.length, res)) return
  await write(res, `${JSON.stringify({ ...last, ...message('') })}\n`, script.pieceBytes)
  res.end()
}

async function turn(state: State, script: Script): Promise<void> {
  if (!script.reorder) return
  await new Promise<void>(begin => {
    state.waiting.push(begin)
    if (state.waiting.length < script.reorder!) return
    for (const other of state.waiting.splice(0).reverse()) other()
  })
}

async function write(res: ServerResponse, text: string, pieceBytes?: number): Promise<void> {
  if (!pieceBytes) return void res.write(text)
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    res.write(bytes.subarray(at, at + pieceBytes))
    await sleep(0)
  }
}
