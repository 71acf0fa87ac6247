import { EXIT, Failure } from '../../errors.ts'
import type { Command, Io } from '../command.ts'
import { collect, type SourceFile } from './files.ts'
import { type Added, ingestBatch, keptOriginals } from './ingest-batch.ts'

interface Flags {
  kb: string
  shared?: boolean
}

/** Files that one task takes: enough to be worth a task, few enough that an interrupted run has not much to do again. */
const BATCH = 50

export const add: Command<Flags> = {
  name: 'add',
  summary: 'add files and folders to a knowledge base',
  arguments: [
    { name: 'path', says: 'Markdown, text, HTML or PDF files, or folders that hold such files', many: true },
  ],
  options: [
    {
      flag: '--kb <name>',
      says: 'which knowledge base; made when it is not there',
      default: 'notes',
      parse: kbName,
    },
    { flag: '--shared', says: 'make it one that every user may read' },
  ],
  example: 'llmagentos kb add handbook/ notes.md --kb handbook',
  more: `The originals are kept as objects under kb/<name>/. Adding a file again replaces its document; one that did not change is neither sent nor stored again.
Exit code 5: some files could not be added; each is named.`,
  async run({ args, flags, json, io }) {
    const { MOST_BYTES } = await import('../../runtime/kinds/ingest/document.ts')
    const { EXTENSIONS } = await import('../../runtime/kinds/ingest/detect.ts')
    const { files, skipped } = collect(args, { cwd: io.cwd, reads: end => Object.hasOwn(EXTENSIONS, end) })
    const tell = (event: string, fields: object, says?: string) => {
      if (json) io.print(JSON.stringify({ event, ...fields }))
      else if (says) io.say(says)
    }
    for (const path of skipped) tell('skipped', { path }, `skipped  ${path}: of no type that can be read`)
    if (files.length === 0) throw nothingToAdd(args)

    const tooLarge = files.filter(f => f.bytes > MOST_BYTES)
    const added = await addAll(
      files.filter(f => f.bytes <= MOST_BYTES),
      { ...flags, io },
    )
    for (const { id } of tooLarge)
      added.failed.push({ id, reason: `${id} is larger than ${MOST_BYTES / 1024 / 1024} MiB.` })

    for (const d of added.documents) tell('added', d)
    for (const f of added.failed)
      tell('failed', f, `failed   ${f.reason.includes(f.id) ? f.reason : `${f.id}: ${f.reason}`}`)
    const sum = sumOf(added, { kb: flags.kb, skipped: skipped.length })
    if (json) tell('done', sum)
    else io.print(summary(sum))
    return sum.failed > 0 ? EXIT.partial : EXIT.ok
  },
}

async function addAll(files: SourceFile[], o: Flags & { io: Io }): Promise<Added> {
  const { openClient } = await import('../../runtime/index.ts')
  const { progressBar } = await import('../views/progress.ts')
  const client = await openClient(o.io)
  const bar = progressBar(`Adding to ${o.kb}`, o.io)
  const all: Added = { documents: [], failed: [] }
  try {
    const kept = files.length > 0 ? await keptOriginals(client, o.kb) : new Map<string, string>()
    for (let at = 0; at < files.length; at += BATCH) {
      const step = (done: number, says: string) =>
        bar.update({ done: at + done, total: files.length, says, unit: 'files' })
      const { documents, failed } = await ingestBatch(files.slice(at, at + BATCH), {
        ...o,
        client,
        kept,
        step,
      })
      all.documents.push(...documents)
      all.failed.push(...failed)
    }
    return all
  } finally {
    bar.stop()
    await client.close()
  }
}

function sumOf({ documents, failed }: Added, o: { kb: string; skipped: number }) {
  const unchanged = documents.filter(d => d.unchanged).length
  return {
    kb: o.kb,
    added: documents.length - unchanged,
    unchanged,
    failed: failed.length,
    skipped: o.skipped,
    chunks: documents.reduce((n, d) => n + d.chunks, 0),
  }
}

function summary(sum: ReturnType<typeof sumOf>): string {
  const parts = [`${sum.added} added`]
  if (sum.unchanged) parts.push(`${sum.unchanged} unchanged`)
  if (sum.failed) parts.push(`${sum.failed} failed`)
  if (sum.skipped) parts.push(`${sum.skipped} skipped`)
  return `${sum.kb}: ${parts.join(', ')} (${sum.chunks} passages).`
}

function kbName(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,39}$/.test(text)) return text
  throw new Failure(`${text} is not a name for a knowledge base.`, {
    exit: EXIT.usage,
    next: 'Use up to 40 small letters, digits and dashes, as in team-handbook.',
  })
}

const nothingToAdd = (paths: string[]) =>
  new Failure(`There is nothing to add in ${paths.join(', ')}.`, {
    exit: EXIT.usage,
    next: 'Name files of Markdown, text, HTML or PDF, or a folder that holds some.',
  })
