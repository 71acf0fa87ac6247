import { X509Certificate } from 'node:crypto'
import type { CertificateItem } from './item.ts'
import { derOf } from './pem.ts'

/** What is wrong with a certificate. One that is `usable` serves until the better one is there. */
export interface Fault {
  says: string
  usable: boolean
}

const SERVER = '1.3.6.1.5.5.7.3.1'
const CLIENT = '1.3.6.1.5.5.7.3.2'
export const USAGES = {
  server: { names: 'serverAuth', oids: [SERVER] },
  client: { names: 'clientAuth', oids: [CLIENT] },
  both: { names: 'serverAuth,clientAuth', oids: [SERVER, CLIENT] },
}

// A certificate may live this much longer than the item says, for clocks that differ.
const SLACK_MS = 300_000

/** Undefined for a certificate (PEM) that is as the item wants it, for this key, at this time. */
export function faultOf(
  pem: string | undefined,
  item: CertificateItem,
  o: { key?: string; nowMs: number },
): Fault | undefined {
  const unusable = (says: string) => ({ says, usable: false })
  if (!pem) return unusable('there is none')
  const found = read(pem)
  if (!found) return unusable('it is damaged')
  if (!signedBy(found, item.authority.certificate)) return unusable("it is not from the cluster's CA of now")
  if (derOf(found.publicKey) !== o.key) return unusable('it is for another key')
  const left = Date.parse(found.validTo) - o.nowMs
  if (left <= 0) return unusable(`it ended on ${found.validTo}`)
  if (Date.parse(found.validFrom) > o.nowMs) return unusable(`it begins on ${found.validFrom}`)
  const usable = (says: string) => ({ says, usable: true })
  if (left < item.lifeMs / 3) return usable(`it ends on ${found.validTo}`)
  if (left > item.lifeMs + SLACK_MS) return usable('it lives longer than is wanted now')
  if (namesOf(found) !== wantedNames(item)) return usable('its names are not those that are wanted now')
  if (found.keyUsage?.toSorted().join() !== USAGES[item.usage].oids.join())
    return usable('it is for another use than is wanted now')
  return undefined
}

function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

function signedBy(found: X509Certificate, authority: string): boolean {
  const ca = new X509Certificate(authority)
  return found.checkIssued(ca) && found.verify(ca.publicKey)
}

const namesOf = ({ subjectAltName = '' }: X509Certificate) =>
  subjectAltName
    .split(', ')
    .map(name => name.replace(/^IP Address:/, 'IP:'))
    .toSorted()
    .join()

export const namesWanted = ({ uris, dns, ips }: CertificateItem): string[] => [
  ...uris.map(uri => `URI:${uri}`),
  ...dns.map(name => `DNS:${name}`),
  ...ips.map(address => `IP:${address}`),
]

const wantedNames = (item: CertificateItem) => namesWanted(item).toSorted().join()
