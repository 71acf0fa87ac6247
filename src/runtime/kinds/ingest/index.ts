import { readFile, stat } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { program } from '../../../assets.ts'
import { codeOf, reasonOf } from '../../../errors.ts'
import { badRequest, Refusal } from '../../refusal.ts'
import { MOST_BYTES, type ParsedDocument } from './document.ts'
import { tooLarge, unreadable } from './refusals.ts'
import type { Job, Outcome } from './worker.ts'

export type { ParsedDocument } from './document.ts'

/** What one document may take of this machine. */
const LIMITS = {
  seconds: 60,
  heapMb: 512,
  /** Growth of the whole process: decompressed streams lie outside the heap, where V8's limit does not see them. */
  growthMb: 1024,
}
const LOOK_MS = 200

type Source = { name: string; signal?: AbortSignal; limits?: Partial<typeof LIMITS> } & (
  | { bytes: Buffer; path?: undefined }
  | { path: string; bytes?: undefined }
)

/**
 * Parses and chunks a document in a thread of its own, within limits of time and memory: a hostile file costs its own parse and nothing else.
 * `name` says the type where the content does not. Throws a Refusal: 400 for a path that is no file, 413 for one too large, 422 for one that
 * cannot be read.
 */
export async function parseDocument(source: Source): Promise<ParsedDocument> {
  const bytes = source.bytes ?? (await readWhole(source.path, source.name))
  if (bytes.length > MOST_BYTES) throw tooLarge(source.name, bytes.length)
  const limits = { ...LIMITS, ...source.limits }
  const outcome = await runWorker({ bytes, name: source.name }, { limits, signal: source.signal })
  if ('document' in outcome) return outcome.document
  if ('refused' in outcome) {
    const { status, code, message, next } = outcome.refused
    throw new Refusal(status, code, message, { next })
  }
  throw new Error(`the parser failed on ${source.name}: ${outcome.failed}`)
}

async function readWhole(path: string, name: string): Promise<Buffer> {
  const found = await stat(path).catch(thrown => {
    throw badRequest(
      codeOf(thrown) === 'ENOENT'
        ? `There is no file ${path}.`
        : `${path} cannot be read: ${reasonOf(thrown)}.`,
    )
  })
  if (!found.isFile()) throw badRequest(`${path} is not a file.`)
  if (found.size > MOST_BYTES) throw tooLarge(name, found.size)
  return readFile(path)
}

function runWorker(job: Job, o: { limits: typeof LIMITS; signal?: AbortSignal }): Promise<Outcome> {
  o.signal?.throwIfAborted()
  const { limits } = o
  const worker = new Worker(program('parse-worker'), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: limits.heapMb, maxYoungGenerationSizeMb: 64, stackSizeMb: 4 },
    // What a library prints belongs to nobody.
    stdout: true,
    stderr: true,
    env: {},
  })
  return new Promise<Outcome>((resolve, reject) => {
    const before = process.memoryUsage.rss()
    const tooMuch = () => reject(unreadable(job.name, 'it takes more memory than a document may', SMALLER))
    const timer = setTimeout(
      () => reject(unreadable(job.name, `reading it takes longer than ${limits.seconds} s`, SMALLER)),
      limits.seconds * 1000,
    )
    const look = setInterval(() => {
      if (process.memoryUsage.rss() - before > limits.growthMb * 1024 * 1024) tooMuch()
    }, LOOK_MS)
    const gone = () => reject(o.signal?.reason)
    o.signal?.addEventListener('abort', gone, { once: true })
    worker.once('message', resolve)
    worker.once('error', thrown =>
      codeOf(thrown) === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch() : reject(thrown),
    )
    worker.once('exit', code => reject(new Error(`the parser of ${job.name} ended with code ${code}`)))
    worker.once('exit', () => {
      clearTimeout(timer)
      clearInterval(look)
      o.signal?.removeEventListener('abort', gone)
    })
  }).finally(() => worker.terminate())
}

const SMALLER = 'Split it into smaller documents, or save it in a simpler format.'
