import { createHash } from 'node:crypto'
import { basename, extname } from 'node:path'
import { chunk } from './chunk.ts'
import { decode } from './decode.ts'
import { detect } from './detect.ts'
import { type DocumentType, MOST_BYTES, type Outline, type ParsedDocument } from './document.ts'
import { markdown } from './markdown.ts'
import { tooLarge, unreadable } from './refusals.ts'
import { plainText } from './text.ts'

/** Parses and chunks in this thread: for documents that we trust, and inside the parse worker. Throws a Refusal (413, 422). */
export async function parse(bytes: Buffer, name: string): Promise<ParsedDocument> {
  if (bytes.length === 0) throw unreadable(name, 'it is empty (0 bytes)')
  if (bytes.length > MOST_BYTES) throw tooLarge(name, bytes.length)
  const type = detect(bytes, name)
  const outline = await outlineOf(type, bytes, name)
  const title = outline.title?.trim() || titleOf(name)
  const chunks = chunk(outline.blocks, { title })
  if (chunks.length === 0) throw unreadable(name, NO_TEXT[type])
  return {
    title: title.slice(0, 300),
    type,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    chunks,
  }
}

const NO_TEXT: Record<DocumentType, string> = {
  markdown: 'it holds no text',
  text: 'it holds no text',
  html: 'it holds no text that a reader would see',
  pdf: 'it holds no text, only pictures perhaps; run text recognition (OCR) over it first',
}

/** The readers of HTML and PDF are large, so each is loaded for its own documents only. */
async function outlineOf(type: DocumentType, bytes: Buffer, name: string): Promise<Outline> {
  switch (type) {
    case 'markdown':
      return markdown(decode(bytes, name))
    case 'text':
      return plainText(decode(bytes, name))
    case 'html':
      return (await import('./html.ts')).html(decode(bytes, name), name)
    case 'pdf':
      return (await import('./pdf.ts')).pdf(bytes, name)
  }
}

const titleOf = (name: string) => basename(name, extname(name)).replace(/[-_]+/g, ' ').trim() || name
