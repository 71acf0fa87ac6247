import { extname } from 'node:path'
import type { DocumentType } from './document.ts'
import { unreadable } from './refusals.ts'

/** Types by the end of a name. What is not here may still be read as text. */
export const EXTENSIONS: Record<string, DocumentType> = {
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.mdx': 'markdown',
  '.txt': 'text',
  '.text': 'text',
  '.rst': 'text',
  '.adoc': 'text',
  '.org': 'text',
  '.log': 'text',
  '.csv': 'text',
  '.tsv': 'text',
  '.html': 'html',
  '.htm': 'html',
  '.xhtml': 'html',
  '.pdf': 'pdf',
}

/** First bytes of what people try, and what it is. */
const OTHERS: [magic: Buffer, what: string][] = [
  [Buffer.from('PK\x03\x04'), 'a ZIP archive or an office document'],
  [Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), 'an old office document'],
  [Buffer.from([0x1f, 0x8b]), 'a gzip archive'],
  [Buffer.from([0x89, 0x50, 0x4e, 0x47]), 'a PNG picture'],
  [Buffer.from([0xff, 0xd8, 0xff]), 'a JPEG picture'],
  [Buffer.from('GIF8'), 'a GIF picture'],
  [Buffer.from('{\\rtf'), 'an RTF document'],
  [Buffer.from('\x7fELF'), 'a program'],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), 'a zstd archive'],
  [Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]), 'an xz archive'],
]

/** What a document is: by its content where that is certain, else by its name. Throws a Refusal (422) for what we do not read. */
export function detect(bytes: Buffer, name: string): DocumentType {
  const head = bytes.subarray(0, 1024)
  if (head.includes('%PDF-')) return 'pdf'
  const other = OTHERS.find(([magic]) => head.subarray(0, magic.length).equals(magic))
  if (other) throw unreadable(name, `it is ${other[1]}`, READS)
  const named = EXTENSIONS[extname(name).toLowerCase()]
  if (named === 'pdf') throw unreadable(name, 'its name says PDF, its content does not')
  if (named) return named
  return /^\s*(<!doctype html|<html[\s>])/i.test(head.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, ''))
    ? 'html'
    : 'text'
}

const READS = 'Markdown, plain text, HTML and PDF can be read; convert it to one of them.'
