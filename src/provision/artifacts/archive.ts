import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

/** One file of an archive, or a link to another. `path` is relative, `from` a file of this machine. */
export interface Entry {
  path: string
  mode: 0o644 | 0o755
  content: { from: string } | { text: string } | { link: string }
}

const BLOCK = 512
const PIECE_BYTES = 256 * 1024

/**
 * Writes a tar (ustar, gzip) whose bytes follow from paths, modes and contents alone: sorted, of nobody's time and of root. Folders are in it,
 * so that whoever unpacks it with a strict umask still makes them readable for all.
 */
export async function writeArchive(entries: Entry[], file: string): Promise<void> {
  await pipeline(Readable.from(blocks(entries)), createGzip({ level: 6 }), createWriteStream(file))
}

async function* blocks(entries: Entry[]): AsyncGenerator<Buffer> {
  for (const folder of foldersOf(entries)) yield header(folder, { mode: 0o755, bytes: 0, type: '5' })
  for (const { path, mode, content } of entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    if ('link' in content) {
      yield header(path, { mode, bytes: 0, type: '2', link: content.link })
      continue
    }
    const bytes = 'from' in content ? statSync(content.from).size : Buffer.byteLength(content.text)
    yield header(path, { mode, bytes, type: '0' })
    if ('from' in content) yield* createReadStream(content.from, { highWaterMark: PIECE_BYTES })
    else yield Buffer.from(content.text)
    yield Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK)
  }
  yield Buffer.alloc(2 * BLOCK)
}

function foldersOf(entries: Entry[]): string[] {
  const folders = new Set(['./'])
  for (const { path } of entries) {
    const parts = path.split('/').slice(0, -1)
    for (let i = 1; i <= parts.length; i++) folders.add(`${parts.slice(0, i).join('/')}/`)
  }
  return [...folders].sort()
}

function header(path: string, o: { mode: number; bytes: number; type: string; link?: string }): Buffer {
  const { name, prefix } = split(path)
  const block = Buffer.alloc(BLOCK)
  const put = (text: string, at: number) => block.write(text, at, 'utf8')
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  put(name, 0)
  put(octal(o.mode, 7), 100)
  put(octal(0, 7), 108)
  put(octal(0, 7), 116)
  put(octal(o.bytes, 11), 124)
  put(octal(0, 11), 136)
  put(' '.repeat(8), 148)
  put(o.type, 156)
  if (o.link && Buffer.byteLength(o.link) > 100)
    throw new Error(`the target of a link is too long for an archive: ${o.link}`)
  put(o.link ?? '', 157)
  put('ustar\x0000', 257)
  put('root', 265)
  put('root', 297)
  put(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** A path beyond 100 bytes is cut at a slash. Throws an error of ours where that does not help. */
function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' }
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)]
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155 && name) return { name, prefix }
  }
  throw new Error(`the path is too long for an archive: ${path}`)
}
