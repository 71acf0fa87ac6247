import { writeSync } from 'node:fs'
import { codeOf } from '../errors.ts'

const FULL_TRIES = 20
const FULL_PAUSE_MS = 5

/** Writes lines to a file descriptor at once. A full disk or a reader that went away costs lines, never the process. */
export class LogWriter {
  readonly #fd: number
  /** A line was cut; the next one begins a new line. */
  #cut = false

  constructor(fd: number) {
    this.#fd = fd
  }

  write(line: string): void {
    const bytes = Buffer.from(this.#cut ? `\n${line}` : line)
    const written = this.#put(bytes)
    if (written > 0) this.#cut = written < bytes.length
  }

  #put(bytes: Buffer): number {
    let written = 0
    for (let tries = 1; written < bytes.length; ) {
      try {
        written += writeSync(this.#fd, bytes, written)
      } catch (thrown) {
        if (codeOf(thrown) !== 'EAGAIN' || tries++ > FULL_TRIES) return written
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PAUSE_MS)
      }
    }
    return written
  }
}
