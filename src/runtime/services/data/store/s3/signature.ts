import { createHash, createHmac } from 'node:crypto'
import type { Secret } from '../../../../../secret.ts'

export interface Signer {
  accessKey: string
  secretKey: Secret
  region: string
}

export interface Unsigned {
  method: string
  /** Encoded as it goes over the wire, without a query. */
  path: string
  query?: Record<string, string>
  /** Names in lower case, `host` among them. */
  headers: Record<string, string>
  /** Hex sha256 of the body, or UNSIGNED. */
  payload: string
}

export const UNSIGNED = 'UNSIGNED-PAYLOAD'

/** The headers of a request to S3 with its signature (AWS, version 4). */
export function signed(request: Unsigned, signer: Signer, now: Date): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '')
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-content-sha256': request.payload,
    'x-amz-date': time,
  }
  const names = Object.keys(headers).sort()
  const lines = names.map(name => `${name}:${headers[name]}\n`).join('')
  const list = names.join(';')
  const asked = [request.method, request.path, queryOf(request.query), lines, list, request.payload]
  const scope = `${time.slice(0, 8)}/${signer.region}/s3/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${createHash('sha256').update(asked.join('\n')).digest('hex')}`
  const signature = createHmac('sha256', keyOf(signer, scope)).update(text).digest('hex')
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${signer.accessKey}/${scope},SignedHeaders=${list},Signature=${signature}`
  return headers
}

/** Also what stands after the `?`. */
export function queryOf(query: Record<string, string> = {}): string {
  const pairs = Object.keys(query).map(name => `${encoded(name)}=${encoded(query[name]!)}`)
  return pairs.sort().join('&')
}

export const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** One key a day. */
const keys = new WeakMap<Signer, { scope: string; key: Buffer }>()

function keyOf(signer: Signer, scope: string): Buffer {
  const known = keys.get(signer)
  if (known?.scope === scope) return known.key
  let key: string | Buffer = `AWS4${signer.secretKey.reveal()}`
  for (const word of scope.split('/')) key = createHmac('sha256', key).update(word).digest()
  keys.set(signer, { scope, key: key as Buffer })
  return key as Buffer
}
