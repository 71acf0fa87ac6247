import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'
import { Secret } from '../../secret.ts'
import { pathsOf } from '../local/paths.ts'

/** A cluster that this user's CLI can talk to. */
export interface KnownCluster {
  name: string
  urls: string[]
  keyFile: string
  /** PEM of the CA that its gateways are trusted by; absent: those that Node trusts. */
  caFile?: string
}

interface Book {
  current?: string
  clusters: KnownCluster[]
}

/** The clusters that the CLI knows, kept in the config folder: names and addresses in one file, each key in a 0600 file of its own. */
export class Clusters {
  readonly #folder: string
  readonly #file: string

  constructor(env: NodeJS.ProcessEnv) {
    this.#folder = pathsOf('any', env).config
    this.#file = join(this.#folder, 'clusters.json')
  }

  list(): { current?: string; clusters: KnownCluster[] } {
    return this.#read()
  }

  current(): KnownCluster | undefined {
    const { current, clusters } = this.#read()
    return clusters.find(c => c.name === current)
  }

  get(name: string): KnownCluster | undefined {
    return this.#read().clusters.find(c => c.name === name)
  }

  /** Adds or replaces a cluster; the first one becomes the current one. */
  put({ ca, ...cluster }: { name: string; urls: string[]; ca?: string }): KnownCluster {
    const book = this.#read()
    const caFile = this.caFile(cluster.name)
    const known = { ...cluster, keyFile: this.keyFile(cluster.name), ...(ca && { caFile }) }
    if (ca) this.saveCa(cluster.name, ca)
    else rmSync(caFile, { force: true })
    const others = book.clusters.filter(c => c.name !== cluster.name)
    this.#write({ current: book.current ?? cluster.name, clusters: [...others, known] })
    return known
  }

  use(name: string): void {
    this.#write({ ...this.#read(), current: name })
  }

  forget(name: string): void {
    const book = this.#read()
    const clusters = book.clusters.filter(c => c.name !== name)
    this.#write({ current: book.current === name ? clusters[0]?.name : book.current, clusters })
    rmSync(this.keyFile(name), { force: true })
    rmSync(this.caFile(name), { force: true })
  }

  keyFile(name: string): string {
    return join(this.#folder, `${name}.key`)
  }

  saveKey(name: string, key: Secret): void {
    this.#replace(this.keyFile(name), `${key.reveal()}\n`)
  }

  /** PEM of the CA of a cluster of machines lies here after `cluster up`, whether or not the CLI has a key for it. */
  caFile(name: string): string {
    return join(this.#folder, `${name}.ca.crt`)
  }

  /** Public, so everybody may read it. Writes only what is new. */
  saveCa(name: string, pem: string): void {
    const file = this.caFile(name)
    try {
      if (readFileSync(file, 'utf8') === pem) return
    } catch (thrown) {
      if (codeOf(thrown) !== 'ENOENT') throw thrown
    }
    this.#replace(file, pem, 0o644)
  }

  key(name: string): Secret | undefined {
    return readKey(this.keyFile(name))
  }

  #read(): Book {
    try {
      const book = JSON.parse(readFileSync(this.#file, 'utf8')) as unknown
      if (!isBook(book)) throw new Error('It is no list of clusters.')
      return book
    } catch (thrown) {
      if (codeOf(thrown) === 'ENOENT') return { clusters: [] }
      throw new Failure(`The list of clusters cannot be read: ${this.#file}.`, {
        exit: EXIT.usage,
        why: reasonOf(thrown),
        next: 'Mend the file or remove it; `llmagentos cluster up` writes it anew.',
      })
    }
  }

  #write(book: Book): void {
    this.#replace(this.#file, `${JSON.stringify(book, null, 2)}\n`)
  }

  #replace(file: string, text: string, mode = 0o600): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    writeFileSync(`${file}.tmp`, text, { mode })
    renameSync(`${file}.tmp`, file)
  }
}

function isBook(value: unknown): value is Book {
  const book = value as Partial<Book> | null
  return (
    Array.isArray(book?.clusters) &&
    book.clusters.every(
      c => typeof c?.name === 'string' && typeof c.keyFile === 'string' && Array.isArray(c.urls),
    )
  )
}

/** undefined when the file cannot be read or holds nothing that could be a key, in whatever form one may come. */
export function readKey(file: string): Secret | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return /^[!-~]{1,512}$/.test(text) ? new Secret(text) : undefined
  } catch {
    return undefined
  }
}
