import { SIGNER, TEND_FILE, type TendConfig } from '../../../contracts/certificates.ts'
import { PORTS } from '../../../contracts/ports.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import type { Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { CA_FILE } from '../../secrets/authority.ts'
import type { CertificateItem } from '../../secrets/certificates/item.ts'
import { pathsOf } from '../../secrets/certificates/paths.ts'
import type { View } from '../component.ts'
import { NODE, RELEASE } from './places.ts'

export const TEND_JOB = 'llmagentos-tend.service'
const TIMER = 'llmagentos-tend.timer'
const MOST_S = 3600
const LEAST_S = 5
/** Of the last third of a life: a try that fails leaves time for others. */
const TRIES = 4

/** Renews the certificates of a node by a timer, whether or not anybody runs `up`; for all components. */
export function tendItems(view: View<unknown>, facts: Facts, node: WantedNode): Item[] {
  const certificates = certificatesOn(view, facts, node)
  if (certificates.length === 0) return []
  const file = { kind: 'file', mode: 0o644, owner: 'root:root' } as const
  const service = fill(`runtime/${TEND_JOB}`, {
    command: `${NODE}/bin/node ${RELEASE}/bin/llmagentos.js node tend`,
  })
  return [
    {
      ...file,
      path: TEND_FILE,
      text: `${JSON.stringify(tendConfig(view, node, certificates), undefined, 2)}\n`,
      says: 'which certificates are renewed here',
    },
    { ...file, path: `/etc/systemd/system/${TEND_JOB}`, text: service, says: 'renews certificates' },
    {
      ...file,
      path: `/etc/systemd/system/${TIMER}`,
      text: fill(`runtime/${TIMER}`, { ...timesOf(node.name, certificates), digest: sha256(service) }),
      says: 'when certificates are looked after',
    },
    { kind: 'unit', name: TIMER, says: 'looks after the certificates of this node' },
  ]
}

export const certificatesOn = (view: View<unknown>, facts: Facts, node: WantedNode): CertificateItem[] =>
  view.certificates?.(node, { facts, secret: view.secret }) ?? []

function tendConfig(view: View<unknown>, node: WantedNode, certificates: CertificateItem[]): TendConfig {
  const { cluster } = view
  return {
    cluster: cluster.name,
    node: node.name,
    ca: CA_FILE,
    signers: cluster.nodes
      .filter(one => one.roles.includes('control'))
      .map(one => ({ node: one.name, at: { host: one.address, port: PORTS[SIGNER] } })),
    certificates: certificates.map(({ name, lifeMs, users }) => {
      const { certificate: cert, key, csr: request } = pathsOf(name)
      return { name, cert, key, request, lifeMs, users }
    }),
    notes: '/run/llmagentos-tend',
  }
}

/** Several tries fit into the last third of the shortest life; by its name a node has a moment of its own within the period. */
export function timesOf(
  node: string,
  certificates: Pick<CertificateItem, 'lifeMs'>[],
): { first: number; period: number } {
  const shortest = Math.min(...certificates.map(({ lifeMs }) => lifeMs))
  const period = Math.min(MOST_S, Math.max(LEAST_S, Math.floor(shortest / 1000 / 3 / TRIES)))
  return { period, first: 1 + (Number.parseInt(sha256(node).slice(0, 8), 16) % period) }
}
