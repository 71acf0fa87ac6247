import type { ObjectInfo } from '../../../../contracts/objects.ts'

/** What the record of a version says of it. */
export type Head = ObjectInfo & {
  /** Where its bytes are, unless they follow in the record. */
  blob?: string
  /** How whoever sent it recognises it: see repeat.ts. */
  sent?: string
  /** Of a first version: no second one is created before this one is marked. One that comes from a near store, or from an earlier llmagentos, may have a second one all the same. */
  first?: true
}

export type Version = Head & { content?: Buffer }

/** Every head fits into so much, also one of earlier llmagentos, which holds up to 4 KiB of content (base64). */
export const HEAD_BYTES = 8 * 1024

const LINE_END = '\n'.charCodeAt(0)

/** A line of JSON, and after it the content of what is small. */
export function encoded({ content, ...head }: Version): Buffer {
  const text = JSON.stringify(head)
  return content ? Buffer.concat([Buffer.from(`${text}\n`), content]) : Buffer.from(text)
}

export function decoded(record: Buffer): Version {
  const end = record.indexOf(LINE_END)
  if (end >= 0) return { ...parse(record.subarray(0, end)), content: record.subarray(end + 1) }
  const { content, ...head } = parse(record) as Head & { content?: string }
  return content === undefined ? head : { ...head, content: Buffer.from(content, 'base64') }
}

/** Of a record that may be cut after HEAD_BYTES. */
export function headOf(record: Buffer): Head {
  const { content: _, ...head } = decoded(record)
  return head
}

const parse = (line: Buffer) => JSON.parse(line.toString()) as Head
