import { statSync } from 'node:fs'
import type { Entry } from './archive.ts'

/** Tells of a folder on a node which artifact it is, and what it holds when it is whole. */
export const STAMP = '.llmagentos-artifact'

/** The entries with the stamp among them. */
export function stamped(name: string, entries: Entry[]): Entry[] {
  const files = entries.filter(({ content }) => !('link' in content))
  const bytes = files.reduce((total, { content }) => total + sizeOf(content), 0)
  const text = `${name}\n${files.length} ${bytes}\n`
  return [...entries, { path: STAMP, mode: 0o644, content: { text } }]
}

function sizeOf(content: Entry['content']): number {
  if ('link' in content) return 0
  return 'from' in content ? statSync(content.from).size : Buffer.byteLength(content.text)
}
