import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Models on disk where Ollama has them: `blobs/sha256-HEX`, and a manifest for each name. */
export class Disk {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    for (const part of ['blobs', 'manifests']) mkdirSync(join(folder, part), { recursive: true })
  }

  names(): string[] {
    const root = join(this.#folder, 'manifests')
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => relative(root, join(entry.parentPath, entry.name)).split('/'))
      .map(([host, space, model, tag]) =>
        host === HOST
          ? `${space === SPACE ? '' : `${space}/`}${model}:${tag}`
          : `${host}/${space}/${model}:${tag}`,
      )
  }

  /** A model whose layers have so many bytes. */
  make(name: string, sizes: number[]): void {
    const layers = sizes.map((size, i) => this.#store(Buffer.alloc(size, `${name} ${i} `)))
    this.write(name, JSON.stringify({ schemaVersion: 2, config: this.#store(Buffer.from('{}')), layers }))
  }

  has(digest: string): boolean {
    return existsSync(this.#blob(digest))
  }

  put(digest: string, bytes: Buffer): void {
    if (digestOf(bytes) !== digest)
      throw new Error(`digest mismatch, file must be downloaded again: ${digest}`)
    writeFileSync(this.#blob(digest), bytes)
  }

  write(name: string, manifest: string): void {
    mkdirSync(dirname(this.#manifest(name)), { recursive: true })
    writeFileSync(this.#manifest(name), manifest)
  }

  read(name: string): string {
    return readFileSync(this.#manifest(name), 'utf8')
  }

  copy(from: string, to: string): void {
    this.write(to, this.read(from))
  }

  remove(name: string): void {
    rmSync(this.#manifest(name), { force: true })
  }

  #store(bytes: Buffer): { digest: string; size: number } {
    const digest = digestOf(bytes)
    this.put(digest, bytes)
    return { digest, size: bytes.length }
  }

  #blob(digest: string): string {
    return join(this.#folder, 'blobs', digest.replace(':', '-'))
  }

  #manifest(name: string): string {
    const path = name.split('/')
    const [model, tag] = path.pop()!.split(':')
    const space = path.pop() ?? SPACE
    return join(this.#folder, 'manifests', path.pop() ?? HOST, space, model!, tag!)
  }
}

const HOST = 'registry.ollama.ai'
const SPACE = 'library'

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
