import { Secret } from '../../secret.ts'

/** The first line of a stream, as a secret that no argv and no history saw. */
export async function readSecret(input: NodeJS.ReadableStream): Promise<Secret | undefined> {
  let text = ''
  for await (const piece of input) {
    text += piece
    if (text.length > 4096) break
  }
  const line = text.split('\n')[0]!.trim()
  return line ? new Secret(line) : undefined
}
