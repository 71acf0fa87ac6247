import type { Cluster, WantedNode } from '../../cluster/cluster.ts'
import type { Port, View } from '../component.ts'
import { blockNodes } from './block/names.ts'
import { mdsNodes, mountNodes } from './file/names.ts'
import { RGW_PORT, rgwNodes } from './object/gateways.ts'
import type { Config } from './schema.ts'

export const COMPONENT = 'ceph'
export const CONF = '/etc/ceph/ceph.conf'
export const ADMIN_KEYRING = '/etc/ceph/ceph.client.admin.keyring'

export const FSID_SECRET = 'ceph-fsid'
export const MON_SECRET = 'ceph-mon-key'
export const ADMIN_SECRET = 'ceph-admin-key'
export const BOOTSTRAP_OSD_SECRET = 'ceph-bootstrap-osd-key'
/** Of a daemon whose name is known beforehand: `ceph-mgr-n1`. */
export const daemonSecret = (kind: 'mgr' | 'rgw' | 'mds' | 'fs', node: string) => `ceph-${kind}-${node}`

/** Where mons listen, in Ceph's second protocol alone. */
export const MON_PORT = 3300

/** Mons and mgrs. */
export const monNodes = ({ nodes }: Pick<Cluster, 'nodes'>): WantedNode[] =>
  nodes.filter(node => node.roles.includes('control'))

/** OSDs and gateways. */
export const storageNodes = ({ nodes }: Pick<Cluster, 'nodes'>): WantedNode[] =>
  nodes.filter(node => node.roles.includes('storage'))

/** Those with daemons. */
const daemonNodes = ({ nodes }: Pick<Cluster, 'nodes'>): WantedNode[] => nodes.filter(isDaemonNode)

/** Those with daemons, and those who only use what they serve. */
export function placed(cluster: Pick<Cluster, 'nodes'>, config: Config): WantedNode[] {
  const all = [...daemonNodes(cluster), ...mountNodes(cluster, config), ...blockNodes(cluster, config)]
  return cluster.nodes.filter(node => all.includes(node))
}

export const isMon = (node: WantedNode) => node.roles.includes('control')

export const isDaemonNode = ({ roles }: WantedNode) => roles.includes('control') || roles.includes('storage')

export const monStore = (node: string) => `/var/lib/ceph/mon/ceph-${node}`
export const mgrKeyring = (node: string) => `/var/lib/ceph/mgr/ceph-${node}/keyring`
export const unitOf = (daemon: 'mon' | 'mgr', node: string) => `ceph-${daemon}@${node}.service`

/** What `up` never removes: the node has a vote, and the cluster's maps. */
export const heldMon = (node: string) =>
  ({ component: COMPONENT, kind: 'held', name: monStore(node) }) as const

/** There is a cluster, with a quorum that was seen. */
export const heldQuorum = (node: string) =>
  ({ component: COMPONENT, kind: 'held', name: `${monStore(node)}/store.db` }) as const

/** Where daemons choose: one for a mgr or an MDS, four for an OSD, and as many again for one that is started anew while its ports still wait. */
export function daemonPorts(
  { cluster, config }: Pick<View<Config>, 'cluster' | 'config'>,
  node: WantedNode,
): { from: number; to: number } {
  const mds = mdsNodes(cluster, config).includes(node) ? 1 : 0
  const count = (isMon(node) ? 1 : 0) + mds + 4 * node.disks.length
  return { from: 6800, to: 6800 + 2 * count + 1 }
}

export function ports({ cluster, config }: View<Config>): Port[] {
  const port = (node: string, number: number, by: string): Port => ({
    node,
    port: number,
    protocol: 'tcp',
    from: 'nodes',
    by,
    path: ['components', COMPONENT],
  })
  return daemonNodes(cluster).flatMap(node => {
    const { from, to } = daemonPorts({ cluster, config }, node)
    const daemons = Array.from({ length: to - from + 1 }, (_, i) => from + i)
    return [
      ...(isMon(node) ? [port(node.name, MON_PORT, "Ceph's monitor")] : []),
      ...(rgwNodes(cluster, config).includes(node)
        ? [port(node.name, RGW_PORT, "Ceph's gateway of S3")]
        : []),
      ...daemons.map(number => port(node.name, number, "Ceph's daemons")),
    ]
  })
}
