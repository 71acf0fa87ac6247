import type { Chunk } from '../../../contracts/kb.ts'

export const TYPES = ['markdown', 'text', 'html', 'pdf'] as const
export type DocumentType = (typeof TYPES)[number]

/** Larger documents are refused: parsing holds a document several times over. */
export const MOST_BYTES = 32 * 1024 * 1024

export interface ParsedDocument {
  title: string
  type: DocumentType
  sha256: string
  bytes: number
  chunks: Chunk[]
}

/** A piece of a document that belongs together: a paragraph, a list, a table, a code block, a page. */
export interface Block {
  /** Where it may be cut: prose between sentences, lines between lines, code not at all. */
  kind: 'prose' | 'lines' | 'code'
  text: string
  line?: number
  page?: number
  /** The headings it stands under, outermost first. */
  headings: string[]
}

export interface Outline {
  title?: string
  blocks: Block[]
}
