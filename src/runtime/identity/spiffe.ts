import { SERVICES, type ServiceName } from '../../contracts/identity.ts'

/** Who a certificate of a cluster's CA is made for: `spiffe://CLUSTER/SERVICE` or `spiffe://CLUSTER/SERVICE/NODE`. */
export interface SpiffeId {
  cluster: string
  service: ServiceName
  node?: string
}

const FORM = /^spiffe:\/\/([a-z0-9][a-z0-9._-]{0,254})\/([a-z]+)(?:\/([A-Za-z0-9][A-Za-z0-9._-]{0,254}))?$/

/** Reads the one URI among a certificate's alternative names, as Node writes them; undefined where there is none, more than one, or it is none of ours. */
export function spiffeIdIn(alternativeNames: string | undefined): SpiffeId | undefined {
  const uris = namesIn(alternativeNames).filter(entry => entry.startsWith('URI:'))
  if (uris.length !== 1) return undefined
  const [, cluster, name, node] = FORM.exec(uris[0]!.slice('URI:'.length)) ?? []
  const service = SERVICES.find(s => s === name)
  if (!cluster || !service) return undefined
  return { cluster, service, ...(node && { node }) }
}

export const spiffeText = ({ cluster, service, node }: SpiffeId) =>
  `spiffe://${[cluster, service, ...(node ? [node] : [])].join('/')}`

/** `DNS:x`, `URI:y`: a certificate's alternative names, as Node writes them. It puts one that holds a separator in quotes, so a name cannot pass for two. */
export function namesIn(names = ''): string[] {
  return names.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g)?.map(entry => entry.trim()) ?? []
}
