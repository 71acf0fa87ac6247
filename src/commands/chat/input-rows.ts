import { clusters, widthOf } from './cells.ts'
import type { Editor } from './editor.ts'

/** One row of the typed text on the screen; `cursor` counts its characters, of which the one under the cursor may lie past the end. */
export interface InputRow {
  /** Counted from 0 over the whole text. */
  n: number
  cells: string[]
  cursor?: number
}

/** The typed text in rows of `columns` cells, the last one free for the cursor; of many only `most` around the cursor. */
export function inputRows({ text, at }: Editor, o: { columns: number; most: number }): InputRow[] {
  const rows: InputRow[] = [{ n: 0, cells: [] }]
  let used = 0
  let position = 0
  for (const c of clusters(text)) {
    const width = c === '\n' ? 0 : widthOf(c)
    if (used + width > o.columns - 1) {
      rows.push({ n: rows.length, cells: [] })
      used = 0
    }
    if (position === at) rows.at(-1)!.cursor = rows.at(-1)!.cells.length
    if (c === '\n') {
      rows.push({ n: rows.length, cells: [] })
      used = 0
    } else {
      rows.at(-1)!.cells.push(c)
      used += width
    }
    position += c.length
  }
  if (position === at) rows.at(-1)!.cursor = rows.at(-1)!.cells.length
  const row = rows.findIndex(r => r.cursor !== undefined)
  const first = Math.max(0, Math.min(row - Math.floor(o.most / 2), rows.length - o.most))
  return rows.slice(first, first + o.most)
}
