import type { X509Certificate } from 'node:crypto'
import type { Signable, SignerConfig } from '../../../contracts/certificates.ts'
import { Refusal } from '../../refusal.ts'
import { namesOf } from '../own-ca.ts'

/** A member that came with the certificate which it wants to renew. */
export interface Member {
  node: string
  name: string
  /** What is signed for it. */
  wanted: Signable
  /** SPKI of the certificate's key, PEM: no other key is signed. */
  key: string
}

/** Who asks for `name`, by the client certificate alone. Throws a Refusal (403) for whom nothing is signed. */
export function memberOf(certificate: X509Certificate, name: string, config: SignerConfig): Member {
  if (Date.parse(certificate.validTo) <= Date.now())
    throw refused(`This certificate ended on ${certificate.validTo}, and an ended one renews nothing.`)
  const { uris, dns } = namesOf(certificate)
  const nodes = Object.keys(config.members).filter(node => dns.includes(`${node}.${config.domain}`))
  const [node] = nodes
  if (node === undefined) {
    const who = dns.find(name => name.endsWith(`.${config.domain}`)) ?? dns[0] ?? 'This certificate'
    throw refused(`${who} is no member of ${config.cluster}.`)
  }
  if (nodes.length > 1) throw refused(`This certificate names several members: ${nodes.join(', ')}.`)
  const own = config.members[node]!
  const wanted = Object.hasOwn(own, name) ? own[name]! : undefined
  if (!wanted) throw refused(`${node} has no certificate of the name ${name}.`)
  if (!sameNames(uris, wanted.uris)) throw refused(`This is no certificate of ${name} on ${node}.`)
  return {
    node,
    name,
    wanted,
    key: certificate.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

const sameNames = (one: string[], other: string[]) => one.toSorted().join(' ') === other.toSorted().join(' ')

const refused = (message: string) =>
  new Refusal(403, 'caller', message, { next: 'Run `llmagentos cluster up` from an operator’s machine.' })
