import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { behind } from '../../behind.ts'

const MAX_BYTES = 10 * 1024 * 1024
const OLD_FILES = 3

/** Who asked which model when, and how long each stage took; never what was asked. One JSON line each, rotated by size. */
export class RequestLog {
  readonly #path: string
  #file: number
  #bytes: number
  #lines: object[] = []
  #open = true

  constructor(path: string) {
    this.#path = path
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    this.#file = openSync(path, 'a', 0o600)
    this.#bytes = fstatSync(this.#file).size
  }

  /** Written behind the answers of this turn of the event loop, all lines of it at once. */
  write(line: object): void {
    if (this.#lines.push({ time: new Date(), ...line }) === 1) behind(() => this.#flush())
  }

  close(): void {
    this.#flush()
    this.#open = false
    closeSync(this.#file)
  }

  /** A full disk costs the lines, never an answer. */
  #flush(): void {
    const lines = this.#lines.map(line => `${JSON.stringify(line)}\n`)
    this.#lines = []
    if (!this.#open) return
    try {
      for (let from = 0; from < lines.length; ) {
        const to = whole(lines, from)
        if (this.#bytes > MAX_BYTES) this.#rotate()
        this.#bytes += writeSync(this.#file, lines.slice(from, to).join(''))
        from = to
      }
    } catch {}
  }

  #rotate(): void {
    closeSync(this.#file)
    for (let n = OLD_FILES - 1; n >= 1; n--) {
      try {
        renameSync(`${this.#path}.${n}`, `${this.#path}.${n + 1}`)
      } catch {}
    }
    renameSync(this.#path, `${this.#path}.1`)
    this.#file = openSync(this.#path, 'a', 0o600)
    this.#bytes = 0
  }
}

// One write takes no more than this, so that a file is at most so much longer than its limit.
const MAX_WRITE = 256 * 1024

/** How far from `from` the lines go into one write; always one line at least. */
function whole(lines: string[], from: number): number {
  let to = from
  for (let bytes = 0; to < lines.length && (to === from || bytes < MAX_WRITE); to++)
    bytes += lines[to]!.length
  return to
}
