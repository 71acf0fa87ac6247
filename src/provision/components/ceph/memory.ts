import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import { memory } from '../../facts/memory.ts'
import type { View } from '../component.ts'
import { fileMemoryBytes } from './file/names.ts'
import { isMon } from './names.ts'
import { rgwNodes } from './object/gateways.ts'
import { LEAST, memoryTarget } from './osds/conf.ts'
import type { Config } from './schema.ts'

const MIB = 1024 ** 2
const MON_AND_MGR = 1024 * MIB
const GATEWAY = 512 * MIB

/** Of all daemons on the node together. An OSD uses what it is told to, which follows from the node's memory; the least where that is not known. */
export function memoryOf(view: View<Config>, node: WantedNode, facts?: Facts): number {
  const { cluster, config } = view
  const found = facts?.peek(node.name, memory)
  const each = found?.known ? memoryTarget({ totalBytes: found.value.totalBytes, node }) : LEAST
  return (
    (isMon(node) ? MON_AND_MGR : 0) +
    (rgwNodes(cluster, config).includes(node) ? GATEWAY : 0) +
    (node.disks.length > 0 ? each * node.disks.length : 0) +
    fileMemoryBytes(view, node)
  )
}
