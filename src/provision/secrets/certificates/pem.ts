import { createPublicKey, type KeyObject } from 'node:crypto'

/** The blocks of a text, by label, as whole PEM texts; the first of each label counts. */
export function blocksOf(text: string): Map<string, string> {
  const all = new Map<string, string>()
  for (const [block, label] of text.matchAll(
    /-----BEGIN ([A-Z ]+)-----\n[A-Za-z0-9+/=\n]+-----END \1-----\n?/g,
  ))
    if (!all.has(label!)) all.set(label!, `${block.trimEnd()}\n`)
  return all
}

// How a public key on P-256 begins in DER; its point of 65 bytes follows. Node reads no requests, but their key stands there whole.
const P256 = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex')

/** The public key of a request (PEM), in base64 of its DER; undefined where it is none on P-256. */
export function keyOfRequest(pem: string): string | undefined {
  const der = Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64')
  const at = der.indexOf(P256)
  return at < 0 ? undefined : der.subarray(at, at + P256.length + 65).toString('base64')
}

/** The same of a public key in PEM. */
export function keyOfPem(pem: string): string | undefined {
  try {
    return derOf(createPublicKey(pem))
  } catch {
    return undefined
  }
}

export const derOf = (key: KeyObject) => key.export({ type: 'spki', format: 'der' }).toString('base64')
