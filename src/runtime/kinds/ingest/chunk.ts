import type { Chunk } from '../../../contracts/kb.ts'
import type { Block } from './document.ts'
import { split } from './split.ts'

/** About as much as one thought takes, and small enough that a few of them fit any model's window. */
export const CHUNK_CHARS = 1200
const OVERLAP_CHARS = 150
/** Code stays with the sentence before it up to here. */
const WITH_CODE_CHARS = 2000
/** A code block is never cut, unless it is a data file in disguise; then between lines. */
const MOST_CODE_CHARS = 16_000

/**
 * Packs blocks that stand under one heading into chunks of about 1,200 characters; only what is longer is cut. The same blocks give the same
 * chunks. A chunk's position is where its first character stands.
 */
export function chunk(blocks: Block[], o: { title?: string } = {}): Chunk[] {
  const chunks: Chunk[] = []
  let open: { text: string; first: Block } | undefined
  const close = () => {
    if (open) chunks.push({ text: open.text, position: positionOf(open.first, o.title) })
    open = undefined
  }
  for (const block of blocks.flatMap(piecesOf)) {
    if (open && !fits(open, block)) close()
    open = open ? { ...open, text: `${open.text}\n\n${block.text}` } : { text: block.text, first: block }
  }
  close()
  return chunks
}

function piecesOf(block: Block): Block[] {
  const most = block.kind === 'code' ? MOST_CODE_CHARS : CHUNK_CHARS
  const text = block.text.trimEnd()
  if (text.length <= most) return text.trim() ? [{ ...block, text }] : []
  return split(text, { most, overlap: OVERLAP_CHARS, lines: block.kind !== 'prose' }).map(piece => ({
    ...block,
    text: piece.text,
    ...(block.line !== undefined && { line: block.line + newlines(text.slice(0, piece.from)) }),
  }))
}

function fits(open: { text: string; first: Block }, block: Block): boolean {
  if (open.first.page !== block.page) return false
  if (open.first.headings.join('\n') !== block.headings.join('\n')) return false
  const most = block.kind === 'code' ? WITH_CODE_CHARS : CHUNK_CHARS
  return open.text.length + 2 + block.text.length <= most
}

/** The title stands beside each chunk already, so as the outermost heading it is left out. */
function positionOf(block: Block, title?: string): Chunk['position'] {
  const inner =
    block.headings[0] === title && block.headings.length > 1 ? block.headings.slice(1) : block.headings
  return {
    ...(block.line !== undefined && { line: block.line }),
    ...(block.page !== undefined && { page: block.page }),
    ...(inner.length > 0 && { heading: inner.join(' > ') }),
  }
}

const newlines = (text: string) => text.split('\n').length - 1
