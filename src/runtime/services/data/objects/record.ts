import { Readable } from 'node:stream'
import type { ObjectInfo } from '../../../../contracts/objects.ts'
import { moreOrEnd } from './more.ts'

/** What the record of a version says of it. */
export type Head = ObjectInfo & {
  /** Where its bytes are, unless they follow in the record. */
  blob?: string
  /** How whoever sent it recognises it: see repeat.ts. */
  sent?: string
  /** Of a first version: no second one is created before this one is marked. One that comes from a near store, or from an earlier llmagentos, may have a second one all the same. */
  first?: true
}

/** Its content in the pieces that it came in. */
export type Version = Head & { content?: Buffer[] }

/** Its content comes while it is read. */
export type OpenVersion = Head & { content?: Readable }

/** Every head fits into so much, also one of earlier llmagentos, which holds up to 4 KiB of content (base64). */
export const HEAD_BYTES = 8 * 1024

const LINE_END = '\n'.charCodeAt(0)

/** A line of JSON, and after it the content of what is small. */
export function encoded({ content, ...head }: Version): Buffer {
  const text = JSON.stringify(head)
  return content ? Buffer.concat([Buffer.from(`${text}\n`), ...content]) : Buffer.from(text)
}

export function decoded(record: Buffer): Version {
  const end = record.indexOf(LINE_END)
  if (end >= 0) return { ...parse(record.subarray(0, end)), content: [record.subarray(end + 1)] }
  const { content, ...head } = parse(record) as Head & { content?: string }
  return content === undefined ? head : { ...head, content: [Buffer.from(content, 'base64')] }
}

/** Of a record as it comes. */
export async function opened(record: Readable): Promise<OpenVersion> {
  const line: Buffer[] = []
  for (;;) {
    const piece: Buffer | null = record.read()
    const end = piece ? piece.indexOf(LINE_END) : -1
    if (piece && end >= 0) {
      const head = parse(Buffer.concat([...line, piece.subarray(0, end)]))
      const rest = piece.subarray(end + 1)
      if (rest.length > 0) record.unshift(rest)
      return { ...head, content: head.bytes > 0 ? record : Readable.from([]) }
    }
    if (piece) line.push(piece)
    else if (record.readableEnded) return flowing(decoded(Buffer.concat(line)))
    else await moreOrEnd(record)
  }
}

export const flowing = ({ content, ...head }: Version): OpenVersion =>
  content ? { ...head, content: Readable.from(content) } : head

/** Of a record that may be cut after HEAD_BYTES. */
export function headOf(record: Buffer): Head {
  const { content: _, ...head } = decoded(record)
  return head
}

const parse = (line: Buffer) => JSON.parse(line.toString()) as Head
