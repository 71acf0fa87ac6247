import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { CertificateFiles, TlsFiles } from '../../contracts/config.ts'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { type SpiffeId, spiffeIdIn, spiffeText } from '../identity/spiffe.ts'
import { type Texts, WatchedFiles } from './watched.ts'

/** Certificate and key of one service and the CA of its cluster. Whoever opens it closes it. */
export interface Credentials {
  /** Who we are to others; a renewed certificate says the same. */
  readonly self: SpiffeId
  readonly files: TlsFiles
  readonly current: Texts<'cert' | 'key' | 'ca'>
  onChange(listener: () => void): () => void
  close(): void
}

/** Reads them, and again when they change. Throws a Failure for files that cannot be used, or that are another service's. */
export function openCredentials(files: TlsFiles, o: { service: string; log: Log }): Credentials {
  let self: SpiffeId | undefined
  const check = (texts: Texts<'cert' | 'key' | 'ca'>) => {
    const certificate = pairOf(texts)
    if (!texts.ca.includes('BEGIN CERTIFICATE')) throw new Error(`${files.ca} holds no certificate`)
    const id = spiffeIdIn(certificate.subjectAltName)
    if (id?.service !== o.service || (self && id.cluster !== self.cluster))
      throw new Error(
        `the certificate names ${id ? spiffeText(id) : 'no service'}, not ${self ? spiffeText(self) : o.service}`,
      )
    self = id
  }
  const watched = opened({ files: { cert: files.cert, key: files.key, ca: files.ca }, check, log: o.log })
  return Object.assign(watched, { self: self!, files })
}

/** A certificate that browsers and programs outside know, with its key. */
export function openCertificate(files: CertificateFiles, log: Log): WatchedFiles<'cert' | 'key'> {
  return opened({ files: { cert: files.cert, key: files.key }, check: pairOf, log })
}

/** The first certificate of a chain. Throws when the key is another one's. */
function pairOf({ cert, key }: Texts<'cert' | 'key'>): X509Certificate {
  const certificate = new X509Certificate(cert)
  if (!certificate.checkPrivateKey(createPrivateKey(key)))
    throw new Error('the key is not the one of the certificate')
  return certificate
}

function opened<Name extends string>(
  o: ConstructorParameters<typeof WatchedFiles<Name>>[0],
): WatchedFiles<Name> {
  try {
    return new WatchedFiles<Name>(o)
  } catch (thrown) {
    throw new Failure('The TLS files of the config cannot be used.', {
      exit: EXIT.preflight,
      why: reasonOf(thrown),
      next: `See ${Object.values(o.files).join(', ')}.`,
    })
  }
}
