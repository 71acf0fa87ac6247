import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { docsFolder } from '../assets.ts'
import { keepDocuments, putDocument } from '../contracts/kb.ts'
import type { Log } from '../log.ts'
import { ownHop } from './hop.ts'
import { parse } from './kinds/ingest/parse.ts'
import type { Calls } from './transport.ts'

/** The knowledge base of our own documentation. */
export const DOCS_KB = 'docs'

/** Puts our README and docs into the knowledge base `docs`, and takes out what they no longer hold. What is there already costs one look. */
export async function seedDocs(o: {
  calls: Calls
  log: Log
  folder?: string
}): Promise<{ documents: number; changed: number; removed: number }> {
  const folder = o.folder ?? docsFolder()
  const files = await filesOf(folder)
  const params = { kb: DOCS_KB }
  const hop = ownHop()
  const results = await Promise.all(
    files.map(async file => {
      const id = relative(dirname(folder), file)
      const document = await parse(await readFile(file), id)
      return o.calls.call(putDocument, hop, { params, body: { ...document, id, shared: true } })
    }),
  )
  const ids = files.map(file => relative(dirname(folder), file))
  const gone =
    files.length > 0 ? (await o.calls.call(keepDocuments, hop, { params, body: { ids } })).removed : []
  const changed = results.filter(r => !r.unchanged).length
  if (changed + gone.length > 0)
    o.log.info(
      { documents: files.length, changed, removed: gone.length },
      'brought our documentation up to date',
    )
  return { documents: files.length, changed, removed: gone.length }
}

/** The README that lies beside the folder, and each Markdown file in it. */
async function filesOf(folder: string): Promise<string[]> {
  const readme = join(dirname(folder), 'README.md')
  const inside = existsSync(folder)
    ? (await readdir(folder, { recursive: true })).filter(f => f.endsWith('.md')).sort()
    : []
  return [...(existsSync(readme) ? [readme] : []), ...inside.map(f => join(folder, f))]
}
