import type { Cluster, WantedNode } from '../../../cluster/cluster.ts'
import type { Endpoint } from '../../component.ts'
import { storageNodes } from '../names.ts'
import type { Config } from '../schema.ts'

export const RGW_PORT = 7480
export const RGW_CERTIFICATE = 'rgw'

/** The name of a gateway among Ceph's daemons. */
export const rgwName = (node: string) => `rgw.${node}`
export const rgwUnit = (node: string) => `ceph-radosgw@${rgwName(node)}.service`
export const rgwKeyring = (node: string) => `/var/lib/ceph/radosgw/ceph-${rgwName(node)}/keyring`

/** The first storage nodes of the file that have disks. */
export const rgwNodes = (cluster: Pick<Cluster, 'nodes'>, config: Config): WantedNode[] =>
  storageNodes(cluster)
    .filter(node => node.disks.length > 0)
    .slice(0, config.object.gateways)

/** The one on the same node first, so that its answer crosses no network. */
export const endpoints = (cluster: Cluster, config: Config, from: string): Endpoint[] =>
  rgwNodes(cluster, config)
    .toSorted((a, b) => Number(b.name === from) - Number(a.name === from))
    .map(node => ({ host: `${node.name}.${cluster.network.domain}`, port: RGW_PORT }))
