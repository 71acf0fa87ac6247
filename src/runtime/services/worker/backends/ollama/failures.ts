import { codeOf, reasonOf } from '../../../../../errors.ts'
import { Refusal } from '../../../../refusal.ts'

/** Ollama answered with an error status: what that means to our caller. */
export function refused(o: { status: number; text: string }): Refusal {
  const says = messageIn(o.text) || `status ${o.status}`
  if (o.status === 404 || isMissing(says)) return missing(says)
  if (o.status === 429 || o.status === 503)
    return new Refusal(503, 'busy', `Ollama is busy: ${says}.`, {
      next: 'Try again in a moment.',
      retryAfterSeconds: 1,
    })
  if (o.status < 500) return new Refusal(400, 'bad_request', `Ollama refused the request: ${says}.`)
  return failed(says)
}

/** Ollama ended a stream with an error, or without its last message. */
export const failed = (says: string): Refusal =>
  isMissing(says)
    ? missing(says)
    : new Refusal(502, 'engine', `Ollama failed: ${says.replace(/\.$/, '')}.`, {
        next: 'The log of Ollama says more, e.g. `journalctl -u ollama`.',
      })

/** What an exchange threw, in our words: the package itself throws plain errors for an `error` line and for a stream without its end. */
export function asFailure(thrown: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (thrown instanceof Refusal) return thrown
  const says = reasonOf(thrown)
  if (says.startsWith('Did not receive done'))
    return new Refusal(502, 'cut', 'Ollama ended the stream before the answer was complete.', {
      cause: thrown,
    })
  return failed(says)
}

/** The connection failed before or within an answer; when `signal` did it, its reason is what is thrown. */
export function broken(thrown: unknown, o: { signal: AbortSignal; url: string }): unknown {
  if (o.signal.aborted) return o.signal.reason
  if (thrown instanceof Refusal) return thrown
  if (UNREACHABLE.has(codeOf(thrown) ?? '')) return unreachable(o.url, thrown)
  return new Refusal(502, 'cut', `The connection to Ollama broke: ${reasonOf(thrown)}.`, { cause: thrown })
}

export const unreachable = (url: string, cause?: unknown) =>
  new Refusal(503, 'no_ollama', `Ollama does not answer at ${url}.`, {
    next: 'Start it, e.g. `systemctl start ollama` or `ollama serve`.',
    retryAfterSeconds: 3,
    cause,
  })

export const hung = (url: string) =>
  new Refusal(503, 'no_ollama', `Ollama at ${url} takes requests and answers none.`, {
    next: 'It is started again by itself where llmagentos keeps it; else restart it, e.g. `systemctl restart ollama`.',
    retryAfterSeconds: 5,
  })

export const garbled = () => new Refusal(502, 'cut', 'Ollama sent a line that is not whole JSON.')

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** As Ollama words it: `model 'x' not found`, and for a pull `pull model manifest: file does not exist`. */
const isMissing = (says: string) => /model .*not found|file does not exist/i.test(says)

function missing(says: string): Refusal {
  const name = /model ['"]([^'"]+)['"]/.exec(says)?.[1]
  return new Refusal(404, 'no_model', name ? `Ollama has no model ${name}.` : `Ollama says: ${says}.`, {
    next: `Download one: \`llmagentos model pull ${name ?? 'NAME'}\`.`,
  })
}

function messageIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown }
    return typeof error === 'string' ? error.trim().replace(/\.$/, '') : text.slice(0, 200)
  } catch {
    return text.trim().slice(0, 200)
  }
}
