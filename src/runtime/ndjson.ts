import type { Readable } from 'node:stream'
import { Refusal } from './refusal.ts'

/** The lines of a body; a reader that leaves before the last one cuts the connection. */
export async function* jsonLines<T>(body: Readable): AsyncGenerator<T> {
  const lines = new Lines()
  body.on('error', () => {})
  try {
    for await (const piece of body.iterator({ destroyOnReturn: false }))
      for (const line of lines.take(piece as Buffer)) yield line as T
    lines.end()
  } finally {
    if (lines.over) body.resume()
    else body.destroy()
  }
}

interface Line {
  type?: string
  text?: string
  done?: unknown
}

/** Types of the frames that nothing follows, in every stream of lines that contracts/ knows; Ollama's last line says `done: true`. */
const LAST = new Set<string | undefined>(['done', 'end', 'error'])
export const isLast = (line: Line | undefined) => LAST.has(line?.type) || line?.done === true
const NEWLINE = 10

/** Cuts bytes into lines of JSON, wherever the pieces end, also within a character. */
export class Lines {
  #rest: Buffer | undefined
  /** The last line of the stream was there. */
  over = false

  /**
   * The lines that are whole by now. Texts that came at once are one line: each step of an answer costs every service on its way the same,
   * however short its text.
   */
  take(piece: Buffer): Line[] {
    const all = this.#rest ? Buffer.concat([this.#rest, piece]) : piece
    const end = all.lastIndexOf(NEWLINE)
    this.#rest = end + 1 < all.length ? all.subarray(end + 1) : undefined
    if (end < 0) return []
    const lines: Line[] = []
    for (const text of all.toString('utf8', 0, end).split('\n')) {
      if (text === '') continue
      const line = JSON.parse(text) as Line
      const before = lines.at(-1)
      if (line.type === 'text' && before?.type === 'text') before.text = `${before.text}${line.text}`
      else lines.push(line)
    }
    this.over ||= isLast(lines.at(-1))
    return lines
  }

  /** Nothing more comes. Throws a Refusal when it stopped in the middle of a line. */
  end(): void {
    if (this.#rest) throw new Refusal(502, 'cut', 'A stream was cut in the middle of a line.')
  }
}
