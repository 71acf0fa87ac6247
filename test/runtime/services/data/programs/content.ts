import { createHash } from 'node:crypto'

/** Bytes that follow from their own beginning, so that whoever finds them can tell whether they are whole. */
export function content(name: string, bytes: number): Buffer {
  const head = Buffer.from(`${name} ${bytes}\n`)
  const pattern = createHash('sha256').update(head).digest()
  return Buffer.concat([head, Buffer.alloc(bytes, pattern)])
}

export function isWhole(found: Buffer, name?: string): boolean {
  const [said, bytes] = found.subarray(0, found.indexOf('\n')).toString().split(' ')
  return (name ?? said) === said && content(said!, Number(bytes)).equals(found)
}
