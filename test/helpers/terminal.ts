import { PassThrough, Writable } from 'node:stream'
import { vi } from 'vitest'
import type { Io } from '../../src/commands/command.ts'

/** A terminal for programs that paint: keys go in as bytes, and what stands on it (with all that scrolled up) can be read as text. */
export class FakeTerminal {
  readonly stdin = new Keys()
  readonly stdout: Paper
  readonly stderr: Paper
  readonly #interrupted = new AbortController()

  constructor({ columns = 60, rows = 20 } = {}) {
    this.stdout = new Paper(columns, rows)
    this.stderr = this.stdout
  }

  type(bytes: string): void {
    this.stdin.write(bytes)
  }

  /** As SIGTERM does. */
  terminate(): void {
    this.#interrupted.abort()
  }

  /** Lines without the spaces at their ends, and without the empty ones at the bottom. */
  text(): string {
    return this.stdout.text()
  }

  /** Waits until the text is on it. */
  async shows(text: string | RegExp): Promise<string> {
    await vi.waitFor(
      () => {
        const found = typeof text === 'string' ? this.text().includes(text) : text.test(this.text())
        if (!found) throw new Error(`not on the terminal: ${text}\n${this.text()}`)
      },
      { timeout: 10_000, interval: 10 },
    )
    return this.text()
  }

  io(): Io {
    return {
      env: {},
      cwd: '/',
      stdin: this.stdin,
      stdout: this.stdout,
      stderr: this.stderr,
      signal: this.#interrupted.signal,
      say: line => void this.stderr.write(`${line}\n`),
      print: line => void this.stdout.write(`${line}\n`),
    }
  }
}

class Keys extends PassThrough {
  readonly isTTY = true
  raw = false

  setRawMode(on: boolean): this {
    this.raw = on
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

/** Knows the few sequences that ink paints with; colours and switches change no text and are dropped. */
class Paper extends Writable {
  readonly isTTY = true
  columns: number
  rows: number
  written = ''
  #lines = ['']
  #row = 0
  #column = 0

  constructor(columns: number, rows: number) {
    super({ decodeStrings: false })
    this.columns = columns
    this.rows = rows
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.written += chunk
    for (const [piece] of String(chunk).matchAll(/\u001b\[[?>]?[\d;]*[A-Za-z]|[\r\n]|[^\u001b\r\n]+/g))
      this.#take(piece)
    done()
  }

  text(): string {
    return this.#lines
      .map(line => line.trimEnd())
      .join('\n')
      .trimEnd()
  }

  #take(piece: string): void {
    const [, count, does] = /^\u001b\[(\d*)([A-Za-z])$/.exec(piece) ?? []
    if (piece === '\n') this.#feed()
    else if (piece === '\r' || does === 'G') this.#column = 0
    else if (does === 'A') this.#row = Math.max(0, this.#row - Number(count || 1))
    else if (does === 'K') this.#lines[this.#row] = ''
    else if (does === 'J') this.#lines.splice(this.#row + 1)
    else if (!piece.startsWith('\u001b')) {
      this.#lines[this.#row] = this.#lines[this.#row]!.slice(0, this.#column) + piece
      this.#column += piece.length
    }
  }

  #feed(): void {
    this.#row++
    this.#column = 0
    if (this.#row === this.#lines.length) this.#lines.push('')
  }
}
