import { StringDecoder } from 'node:string_decoder'

const LONGEST_LINE = 64 * 1024

/** The beginning and the end of a stream of bytes; what does not fit in between is counted and dropped. */
export class HeadAndTail {
  readonly #half: number
  readonly #head: Buffer[] = []
  #headBytes = 0
  #tail: Buffer[] = []
  #tailBytes = 0
  #leftOut = 0

  constructor(keepBytes: number) {
    this.#half = Math.ceil(keepBytes / 2)
  }

  push(chunk: Buffer): void {
    const room = this.#half - this.#headBytes
    if (room > 0) {
      this.#head.push(chunk.subarray(0, room))
      this.#headBytes += Math.min(room, chunk.length)
    }
    if (chunk.length > room) this.#pushTail(room > 0 ? chunk.subarray(room) : chunk)
  }

  text(): string {
    const tail = Buffer.concat(this.#tail)
    const cut = Math.max(0, tail.length - this.#half)
    const leftOut = this.#leftOut + cut
    if (leftOut === 0) return Buffer.concat([...this.#head, tail]).toString()
    return `${Buffer.concat(this.#head)}\n[... ${leftOut} bytes left out ...]\n${tail.subarray(cut)}`
  }

  #pushTail(chunk: Buffer): void {
    this.#tail.push(chunk)
    this.#tailBytes += chunk.length
    while (this.#tailBytes - this.#tail[0]!.length >= this.#half) {
      const first = this.#tail.shift()!
      this.#tailBytes -= first.length
      this.#leftOut += first.length
    }
  }
}

/** Calls back for each line; a longer one than 64 KiB comes in parts, the last one with or without its line end. */
export class Lines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onLine: (line: string) => void
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) this.#onLine(line)
    if (this.#rest.length > LONGEST_LINE) this.end()
  }

  end(): void {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (rest) this.#onLine(rest)
  }
}
