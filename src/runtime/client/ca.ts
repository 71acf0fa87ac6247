import { readFileSync } from 'node:fs'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'

/** PEM of the CA that a cluster's gateways are trusted by. Throws a Failure where the file holds none. */
export function readCa(file: string): string {
  let text = ''
  let why: string | undefined
  try {
    text = readFileSync(file, 'utf8')
  } catch (thrown) {
    why = reasonOf(thrown)
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new Failure(`There is no CA certificate in ${file}.`, {
    exit: EXIT.usage,
    why,
    next: 'It has to be PEM.',
  })
}

/** The connection was refused by us, for the certificate of the other side. */
export function isDistrusted(thrown: unknown): boolean {
  const code = codeOf(thrown) ?? ''
  return DISTRUST.test(code)
}

const DISTRUST =
  /^(ERR_TLS_CERT_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_)/
