import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { link, open, readdir, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { codeOf } from '../../../../errors.ts'
import { folderSynced, syncFolder } from './sync.ts'

const TEMPORARY = '.part-'

/** The large half of the embedded store: one file for each blob, under a random name, whole or not there. */
export class FileBlobs {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(folder))
      if (name.startsWith(TEMPORARY)) rmSync(join(folder, name), { force: true })
    syncFolder(folder)
  }

  /** Durable when it returns: the file, then its name. Whatever goes wrong before leaves nothing behind. */
  async put(
    body: Readable,
    blob = randomBytes(16).toString('hex'),
  ): Promise<{ blob: string; bytes: number; sha256: string }> {
    const temporary = join(this.#folder, TEMPORARY + blob)
    // It may break before we read it; the read then says so.
    body.on('error', () => {})
    try {
      const written = await writeWhole(temporary, body)
      // link(2) never overwrites, rename(2) does.
      await link(temporary, this.#at(blob))
      await unlink(temporary)
      await folderSynced(this.#folder)
      return { blob, ...written }
    } catch (thrown) {
      body.destroy()
      await rm(temporary, { force: true })
      throw thrown
    }
  }

  async get(
    blob: string,
    range?: { from: number; to: number },
  ): Promise<{ bytes: number; body: Readable } | undefined> {
    const handle = await open(this.#at(blob), 'r').catch(absent)
    if (!handle) return undefined
    const { size } = await handle.stat()
    if (size === 0) {
      await handle.close()
      return { bytes: 0, body: Readable.from([]) }
    }
    const body = handle.createReadStream({ start: range?.from ?? 0, end: range?.to ?? size - 1 })
    return { bytes: size, body }
  }

  async delete(blob: string): Promise<void> {
    await rm(this.#at(blob), { force: true })
  }

  async list(o: { after?: string; limit: number }): Promise<{ blob: string; storedAt: number }[]> {
    const names = (await readdir(this.#folder))
      .filter(n => !n.startsWith(TEMPORARY) && n > (o.after ?? ''))
      .sort()
    const found: { blob: string; storedAt: number }[] = []
    for (const blob of names.slice(0, o.limit)) {
      const stats = await stat(this.#at(blob)).catch(absent)
      if (stats) found.push({ blob, storedAt: stats.mtimeMs })
    }
    return found
  }

  #at(blob: string): string {
    if (!/^[0-9a-f]{32}$/.test(blob)) throw new Error(`not the name of a blob: ${blob}`)
    return join(this.#folder, blob)
  }
}

async function writeWhole(file: string, body: Readable): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  const handle = await open(file, 'wx', 0o600)
  try {
    for await (const piece of body) {
      const chunk: Buffer = Buffer.isBuffer(piece) ? piece : Buffer.from(piece)
      hash.update(chunk)
      bytes += chunk.length
      // Unlike write, writeFile goes on until every byte is down.
      await handle.writeFile(chunk)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { bytes, sha256: hash.digest('hex') }
}

function absent(thrown: unknown): undefined {
  if (codeOf(thrown) !== 'ENOENT') throw thrown
}
