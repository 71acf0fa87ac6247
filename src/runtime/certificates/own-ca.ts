import { X509Certificate } from 'node:crypto'
import { namesIn } from '../identity/spiffe.ts'

/** Whether the CA itself signed it: there is nobody between in a cluster. */
export const isSignedBy = (certificate: X509Certificate, ca: X509Certificate): boolean =>
  certificate.checkIssued(ca) && certificate.verify(ca.publicKey)

/** Of a certificate in PEM; undefined for a text that is none. */
export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** All that it names, by kind. */
export function namesOf({ subjectAltName }: Pick<X509Certificate, 'subjectAltName'>): {
  uris: string[]
  dns: string[]
} {
  const all = namesIn(subjectAltName)
  const of = (kind: string) => all.filter(name => name.startsWith(kind)).map(name => name.slice(kind.length))
  return { uris: of('URI:'), dns: of('DNS:') }
}
