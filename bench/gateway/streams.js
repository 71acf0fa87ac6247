import { streamed } from './client.js'
import { percentile, rounded } from './figures.js'

/** That many streams at the same time; every token of each is looked at. `wrong` names each stream that was not the one expected. */
export async function streams(to, { count, tokens, model }) {
  const body = { model, stream: true, messages: [{ role: 'user', content: 'Count.' }] }
  const expected = Array.from({ length: tokens }, (_, i) => `<${i}>`).join('')
  const all = await Promise.allSettled(Array.from({ length: count }, () => streamed(to, body)))
  const ended = all.filter(s => s.status === 'fulfilled').map(s => s.value)
  const wrong = all
    .map((s, i) => ({ i, says: s.status === 'rejected' ? String(s.reason) : wrongIn(s.value, expected) }))
    .filter(s => s.says)
  const gaps = ended.flatMap(s => s.tokens.slice(1).map((t, i) => t.at - s.tokens[i].at))
  const first = ended.map(s => s.tokens[0]?.at ?? Number.NaN)
  return {
    streams: count,
    tokens: ended.reduce((n, s) => n + textOf(s).split('<').length - 1, 0),
    events: ended.reduce((n, s) => n + s.tokens.length, 0),
    wrong: wrong.map(w => `stream ${w.i}: ${w.says}`),
    firstTokenMs: { p50: rounded(percentile(first, 0.5)), p99: rounded(percentile(first, 0.99)) },
    gapMs: { p50: rounded(percentile(gaps, 0.5)), p99: rounded(percentile(gaps, 0.99)) },
  }
}

function wrongIn(stream, expected) {
  if (stream.status !== 200) return `status ${stream.status}`
  const text = textOf(stream)
  if (text !== expected) return `it said ${text.slice(0, 80)}`
  return stream.done ? undefined : 'it did not end with [DONE]'
}

const textOf = stream => stream.tokens.map(t => t.content).join('')
