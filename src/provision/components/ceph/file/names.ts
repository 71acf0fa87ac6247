import type { Cluster, WantedNode } from '../../../cluster/cluster.ts'
import { chosen } from '../../../cluster/select.ts'
import { storageNodes } from '../names.ts'
import type { Pool } from '../pools.ts'
import type { Config } from '../schema.ts'

export const FS = 'cephfs'
export const METADATA = 'cephfs_metadata'
export const DATA = 'cephfs_data'
export const FILE_POOLS: Pool[] = [
  { name: METADATA, app: 'cephfs', pgs: 16 },
  { name: DATA, app: 'cephfs' },
]

/** One serves, the other stands by. */
const SERVERS = 2

type Nodes = Pick<Cluster, 'nodes'>

/** The first storage nodes of the file that have disks. */
export const mdsNodes = (cluster: Nodes, { file }: Config): WantedNode[] =>
  file === false
    ? []
    : storageNodes(cluster)
        .filter(node => node.disks.length > 0)
        .slice(0, SERVERS)

/** Its name among Ceph's daemons: that of a metadata server may not begin with a digit, and that of a node may. */
export const mdsName = (node: string) => `${FS}.${node}`
export const mdsUnit = (node: string) => `ceph-mds@${mdsName(node)}.service`
export const mdsKeyring = (node: string) => `/var/lib/ceph/mds/ceph-${mdsName(node)}/keyring`

/** Where a node mounts the file system; in the order of the file. */
export const mountsOf = ({ file }: Config, node: WantedNode): string[] =>
  typeof file === 'boolean' ? [] : file.mounts.filter(one => chosen(node, one.on)).map(({ path }) => path)

export const mountNodes = ({ nodes }: Nodes, config: Config): WantedNode[] =>
  nodes.filter(node => mountsOf(config, node).length > 0)

const MIB = 1024 ** 2
const [CACHE_OPTION, CACHE_BYTES] = ['mds/mds_cache_memory_limit', 1024 * MIB]

/** Options that the file system has unless the file says others. Ceph's own cache of metadata is four times as large. */
export const fileOptions = ({ file }: Config): Record<string, number> =>
  file === false ? {} : { [CACHE_OPTION]: CACHE_BYTES }

/** A server goes half beyond its cache at times. */
export function fileMemoryBytes(
  { cluster, config }: { cluster: Nodes; config: Config },
  node: WantedNode,
): number {
  const said = Number(config.config[CACHE_OPTION] ?? CACHE_BYTES)
  const cache = Number.isFinite(said) ? said : 4 * CACHE_BYTES
  const served = mdsNodes(cluster, config).includes(node) ? 1.5 * cache : 0
  return served + 512 * MIB * mountsOf(config, node).length
}

/** Each node comes with a key of its own. */
export const clientName = (node: string) => `${FS}.${node}`
export const clientKeyring = (node: string) => `/etc/ceph/ceph.client.${clientName(node)}.keyring`

/** A colon stands for each slash, because no path of ours has one. */
export const mountUnit = (path: string) => `llmagentos-${FS}${path.replaceAll('/', ':')}.service`
