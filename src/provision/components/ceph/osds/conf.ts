import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Facts } from '../../../facts/fact.ts'
import { memory } from '../../../facts/memory.ts'
import type { Config } from '../schema.ts'

const MIB = 1024 ** 2
/** Ceph's own default. */
const MOST = 4096 * MIB
/** With less an OSD does not work well. */
export const LEAST = 1024 * MIB

/** Lines of ceph.conf for the OSDs of a node: where they are for CRUSH, and how much memory each uses. Throws UnknownFact. */
export function osdConf(config: Config, { node, facts }: { node: WantedNode; facts: Facts }): string[] {
  if (node.disks.length === 0) return []
  const { totalBytes } = facts.get(node.name, memory)
  return [
    '[osd]',
    `crush_location = ${locationOf(config, node)}`,
    `osd_memory_target = ${memoryTarget({ totalBytes, node })}`,
  ]
}

/** A host is the node by its name, whatever the machine calls itself. */
export function locationOf({ osd }: Config, { name, labels }: WantedNode): string {
  const domain = osd.failureDomain
  return `root=default ${domain === 'host' ? '' : `${domain}=${labels[domain]} `}host=${name}`
}

/** Half of what the node has for us, shared by its OSDs; in steps, so that a few kilobytes more or less change nothing. */
export function memoryTarget(o: { totalBytes: number; node: Pick<WantedNode, 'disks' | 'memory'> }): number {
  const share = (o.totalBytes - o.node.memory.reserveBytes) / 2 / o.node.disks.length
  return Math.max(LEAST, Math.min(MOST, Math.floor(share / (256 * MIB)) * 256 * MIB))
}
