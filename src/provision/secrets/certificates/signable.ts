import type { Signable } from '../../../contracts/certificates.ts'
import { namesWanted, USAGES } from './fault.ts'
import type { CertificateItem } from './item.ts'

/** What is signed for an item, by a step of `up` and by the signer alike. */
export const signableOf = (item: CertificateItem): Signable => ({
  uris: item.uris,
  subject: `/O=llmagentos/CN=${item.name}`,
  seconds: Math.ceil(item.lifeMs / 1000),
  extensions: extensions(item),
})

function extensions(item: CertificateItem): string {
  const names = namesWanted(item)
  const odd = names.find(name => !/^[A-Za-z0-9:/._*-]+$/.test(name))
  if (odd !== undefined) throw new Error(`${JSON.stringify(odd)} is no name for a certificate`)
  return `basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=${USAGES[item.usage].names}
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=${names.join(',')}
`
}
