import type { Body } from './body.ts'
import type { Script } from './script.ts'

/** What the model says, and why it ends. */
export function tokensFor(script: Script, body: Body): { tokens: string[]; reason: string } {
  const asked = body.messages?.at(-1)?.content ?? body.prompt ?? ''
  const all = script.tokens ?? `You said: ${asked}`.split(/(?<=\s)/)
  const most = body.options?.num_predict ?? body.max_tokens ?? Number.POSITIVE_INFINITY
  if (all.length > most) return { tokens: all.slice(0, most), reason: 'length' }
  return { tokens: all, reason: script.doneReason ?? 'stop' }
}

export const promptTokens = (body: Body) =>
  (body.messages?.map(m => m.content).join(' ') ?? body.prompt ?? '').split(/\s+/).length
