import { isIP } from 'node:net'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { View } from '../../components/component.ts'
import { CA_CERTIFICATE } from '../authority.ts'
import { lifeMsOf } from '../schema.ts'

/**
 * A TLS key that is born on the node, and a certificate of the cluster's CA for it: FOLDER/NAME.key, .csr and .crt. What stands behind it
 * in a component's items is made once it is there; so users and groups come before it, and units after it.
 */
export interface CertificateItem {
  kind: 'certificate'
  /** Of the files and of the identity. */
  name: string
  /** `user:group` of the key, which is 0600. */
  owner: string
  usage: 'server' | 'client' | 'both'
  uris: string[]
  dns: string[]
  ips: string[]
  /** It is renewed when a third of this is left. */
  lifeMs: number
  /** Units that are reloaded, or else restarted where they run, when it was renewed; one node after the other. */
  users: string[]
  says: string
  authority: { certificate: string; control: string[] }
}

export interface Asked {
  name: string
  owner?: string
  usage: CertificateItem['usage']
  users?: string[]
  says: string
  /** Beside the node's own names and addresses. */
  alsoDns?: string[]
  alsoIps?: string[]
  lifeMs?: number
}

/**
 * A certificate of an identity on a node: `spiffe://CLUSTER/NAME`, NODE.DOMAIN, NODE and the node's addresses. The component names
 * `authority(cluster)` among its secrets.
 */
export function certificate(view: View<unknown>, node: WantedNode, asked: Asked): CertificateItem {
  const { cluster } = view
  const addresses = [node.address, node.storageAddress].filter(address => address !== undefined)
  const names = [`${node.name}.${cluster.network.domain}`, node.name, ...(asked.alsoDns ?? [])]
  return {
    kind: 'certificate',
    name: asked.name,
    owner: asked.owner ?? 'root:root',
    usage: asked.usage,
    uris: [`spiffe://${cluster.name}/${asked.name}`],
    dns: unique([...names, ...addresses.filter(address => !isIP(address))]),
    ips: unique([...addresses.filter(address => isIP(address)), ...(asked.alsoIps ?? [])]),
    lifeMs: asked.lifeMs ?? lifeMsOf(cluster),
    users: asked.users ?? [],
    says: asked.says,
    authority: {
      certificate: view.secret(CA_CERTIFICATE).reveal(),
      control: view.cluster.nodes.filter(one => one.roles.includes('control')).map(one => one.name),
    },
  }
}

const unique = (names: string[]) => [...new Set(names)].sort()
