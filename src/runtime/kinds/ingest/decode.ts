import { unreadable } from './refusals.ts'

/** The text of a file: UTF-8, or UTF-16 when its first bytes say so. Line ends become \n, so that lines count alike. Throws a Refusal (422). */
export function decode(bytes: Buffer, name: string): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8'
  const text = read(bytes, encoding)
  if (text === undefined) {
    throw unreadable(
      name,
      'it is not UTF-8 text',
      `Convert it, e.g. \`iconv -f latin1 -t utf-8\`, then add it again.`,
    )
  }
  if (text.includes('\u0000')) throw unreadable(name, 'it contains NUL bytes, so it is no text')
  return text.replace(/\r\n?/g, '\n')
}

function read(bytes: Buffer, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
