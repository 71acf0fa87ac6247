import type { Cluster, WantedNode } from '../../../cluster/cluster.ts'
import { chosen } from '../../../cluster/select.ts'
import type { Pool } from '../pools.ts'
import type { Config } from '../schema.ts'

/** The name that Ceph's programs take where none is said. */
export const RBD_POOL = 'rbd'
export const BLOCK_POOLS: Pool[] = [{ name: RBD_POOL, app: 'rbd' }]

export const RBD_SECRET = 'ceph-rbd-key'
export const RBD_KEYRING = '/etc/ceph/ceph.client.rbd.keyring'

/** Those with the key of block devices. */
export const blockNodes = ({ nodes }: Pick<Cluster, 'nodes'>, { block }: Config): WantedNode[] =>
  block === false ? [] : nodes.filter(node => chosen(node, block === true ? 'control' : block.on))
