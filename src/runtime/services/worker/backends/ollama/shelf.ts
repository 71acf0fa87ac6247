import { createReadStream } from 'node:fs'
import { readFile, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Check } from 'typebox/value'
import { Manifest } from '../../../../../contracts/worker.ts'
import { codeOf } from '../../../../../errors.ts'
import { notFound, Refusal } from '../../../../refusal.ts'

/** Where a name says neither; as `name.go` of Ollama's types has them. */
const HOST = 'registry.ollama.ai'
const NAMESPACE = 'library'
const TAG = 'latest'
const PART = /^[A-Za-z0-9][A-Za-z0-9._:-]*$/

/** What an Ollama of this machine has on its disk. Its API hands no model on, so that others take theirs from here. */
export class Shelf {
  readonly #folder: string | undefined

  /** Without a folder there is nothing that could be read. */
  constructor(folder: string | undefined) {
    this.#folder = folder
  }

  /** `name` as Ollama lists it. */
  async manifest(name: string): Promise<Manifest> {
    const path = this.#path('manifests', ...partsOf(name))
    const text = await readFile(path, 'utf8').catch(rethrow(`model ${name} on this disk`))
    const manifest: unknown = JSON.parse(text)
    if (!Check(Manifest, manifest)) throw new Refusal(502, 'engine', `The manifest of ${name} is none.`)
    return manifest
  }

  async bytesOf(digest: string): Promise<number> {
    return (await stat(this.#blob(digest)).catch(rethrow(`layer ${digest}`))).size
  }

  read(digest: string, range?: { from: number; to: number }): Readable {
    return createReadStream(this.#blob(digest), range && { start: range.from, end: range.to })
  }

  /** undefined where nobody knows. */
  async freeBytes(): Promise<number | undefined> {
    if (!this.#folder) return undefined
    const disk = await statfs(this.#folder).catch(() => undefined)
    return disk && disk.bavail * disk.bsize
  }

  #blob(digest: string): string {
    return this.#path('blobs', digest.replace(':', '-'))
  }

  #path(...parts: string[]): string {
    if (this.#folder) return join(this.#folder, ...parts)
    throw new Refusal(501, 'no_folder', 'This worker cannot read the models of its Ollama.', {
      next: 'Pull the model there: each Ollama downloads its own.',
    })
  }
}

/** Host, namespace, model and tag: the folders in which a manifest lies. */
function partsOf(name: string): [string, string, string, string] {
  const path = name.split('/')
  const [model = '', tag = TAG] = path.pop()!.split(/:(?=[^:]*$)/)
  const namespace = path.pop() ?? NAMESPACE
  const host = path.join('/') || HOST
  const parts: [string, string, string, string] = [host, namespace, model, tag]
  if (parts.every(part => PART.test(part))) return parts
  throw new Refusal(400, 'bad_name', `${name} is no name of a model.`)
}

const rethrow =
  (what: string) =>
  (thrown: unknown): never => {
    if (codeOf(thrown) === 'ENOENT') throw notFound(what)
    throw thrown
  }
