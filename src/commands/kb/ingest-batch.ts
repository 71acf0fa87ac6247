import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { TaskDetail, WatchFrame } from '../../contracts/tasks.ts'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Client } from '../../runtime/client/index.ts'
import type { IngestResult } from '../../runtime/kinds/ingest/kind.ts'
import type { SourceFile } from './files.ts'

export interface Added {
  documents: { id: string; chunks: number; unchanged: boolean }[]
  failed: { id: string; reason: string }[]
}

interface Around {
  client: Client
  kb: string
  shared?: boolean
  /** Digests of the originals that are kept already, by the object's name. */
  kept: Map<string, string>
  /** Called with how many of the files are behind us. */
  step(done: number, says: string): void
}

/** Uploads the files and has one task read them. A file that is refused is named in the answer; anything else that fails is thrown. */
export async function ingestBatch(files: SourceFile[], o: Around): Promise<Added> {
  const objects = new Map<string, string>()
  const added: Added = { documents: [], failed: [] }
  for (const file of files) {
    o.step(0, `sending ${file.id}`)
    const refused = await upload(file, o)
    if (refused) added.failed.push({ id: file.id, reason: plain(refused, o.kb) })
    else objects.set(objectOf(file, o.kb), file.id)
  }
  if (objects.size === 0) return added
  const ended = await runTask([...objects.keys()], o)
  const result = ended.result as IngestResult | undefined
  if (!result) {
    const reason = plain(ended.reason ?? `task ${ended.id} is ${ended.state}`, o.kb)
    added.failed.push(...[...objects.values()].map(id => ({ id, reason })))
    return added
  }
  added.documents.push(...result.documents)
  added.failed.push(
    ...result.failed.map(f => ({ id: objects.get(f.object) ?? f.object, reason: plain(f.reason, o.kb) })),
  )
  return added
}

/** Whoever adds a file knows it by its own name. */
const plain = (reason: string, kb: string) => reason.replaceAll(`kb/${kb}/`, '')

const objectOf = (file: SourceFile, kb: string) => `kb/${kb}/${file.id}`

/** The originals of a knowledge base as they are stored now. */
export async function keptOriginals(client: Client, kb: string): Promise<Map<string, string>> {
  const { listObjects } = await import('../../contracts/objects.ts')
  const kept = new Map<string, string>()
  let after: string | undefined
  do {
    const page = await client.call(listObjects, { query: { prefix: `kb/${kb}/`, after, limit: 1000 } })
    for (const { name, sha256 } of page.objects) kept.set(name, sha256)
    after = page.next
  } while (after !== undefined)
  return kept
}

/** Why the file was refused; undefined when it was not. One that is kept as it is now is not sent again. */
async function upload(file: SourceFile, { client, kb, kept }: Around): Promise<string | undefined> {
  const { putObject } = await import('../../contracts/objects.ts')
  let content: Buffer
  try {
    content = await readFile(file.path)
  } catch (thrown) {
    return reasonOf(thrown)
  }
  if (kept.get(objectOf(file, kb)) === createHash('sha256').update(content).digest('hex')) return undefined
  try {
    await client.call(putObject, {
      params: { '*': objectOf(file, kb) },
      query: { replace: true },
      upload: content,
    })
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.exit === EXIT.usage) return thrown.message
    throw thrown
  }
  return undefined
}

async function runTask(objects: string[], { client, kb, shared, step }: Around): Promise<TaskDetail> {
  const { FINAL, showTask, submitTask, watchTask } = await import('../../contracts/tasks.ts')
  const params = { kb, objects, ...(shared && { shared }) }
  const { task } = await client.call(submitTask, { body: { kind: 'ingest', params } })
  const id = task!.id
  for (;;) {
    for await (const frame of client.lines<WatchFrame>(watchTask, { params: { id } })) {
      if (frame.type === 'error')
        throw new Failure(frame.error.message, { exit: EXIT.unhealthy, next: frame.error.next })
      if (frame.type === 'task') step(0, frame.task.state)
      const at = frame.type === 'progress' ? /^(\d+)\/\d+ (.*)$/.exec(frame.text) : undefined
      if (at) step(Number(at[1]) - 1, at[2]!)
    }
    const now = await client.call(showTask, { params: { id } })
    if (FINAL.some(state => state === now.state)) return now
  }
}
