import type { Message } from '../../../../contracts/ask.ts'

export const WINDOW_BYTES = 16 * 1024

/** The newest messages that fit in 16 KiB as JSON; when not even the last does, the beginning of it. */
export function trimmed(messages: Message[]): Message[] {
  const kept: Message[] = []
  let left = WINDOW_BYTES - 2
  for (const message of messages.toReversed()) {
    left -= sizeOf(message) + 1
    if (left < 0) break
    kept.unshift(message)
  }
  const last = messages.at(-1)
  return kept.length > 0 || !last ? kept : [shortened(last)]
}

/** Halves the text until it fits: exact enough, and right whatever JSON makes of its characters. */
function shortened(message: Message): Message {
  let content = message.content.slice(0, WINDOW_BYTES)
  while (sizeOf({ ...message, content }) + 2 > WINDOW_BYTES)
    content = content.slice(0, Math.floor(content.length * 0.75))
  // Not the first half of a surrogate pair.
  return { ...message, content: content.replace(/[\ud800-\udbff]$/, '') }
}

const sizeOf = (message: Message) => Buffer.byteLength(JSON.stringify(message))
