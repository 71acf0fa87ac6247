import { EXIT, Failure } from '../../errors.ts'
import type { WantedNode } from '../cluster/cluster.ts'
import { registry } from '../components/index.ts'
import type { Connection } from '../connections/connection.ts'
import { type Disk, diskNamed } from '../disks/disk.ts'
import { disks } from '../disks/fact.ts'
import { stateOf } from '../disks/guard.ts'
import { inUse, wiping } from '../disks/wipe.ts'
import type { Facts } from '../facts/fact.ts'
import { gather } from '../facts/gather.ts'
import type { Applied } from '../reconcile/apply.ts'
import { type FixOptions, underLock } from './fix.ts'

export interface ListedDisk extends Omit<Disk, 'holds' | 'unknown'> {
  /** The name for cluster.yaml. */
  id: string
  state: 'blank' | 'refused' | 'unknown'
  /** Why it is not blank. */
  why: string[]
}

/** All disks of a node, as it tells. Throws Failure (4) where it does not. */
export async function listDisks(on: Connection, o: { signal?: AbortSignal }): Promise<ListedDisk[]> {
  const { facts } = await gather([{ connection: on, facts: [disks] }], o)
  return facts.get(on.node, disks).disks.map(listed)
}

function listed({ holds, unknown, ...disk }: Disk): ListedDisk {
  const state = stateOf({ ...disk, holds, ...(unknown !== undefined && { unknown }) })
  const why = state.state === 'blank' ? [] : state.state === 'unknown' ? [state.why] : state.why
  return { ...disk, id: disk.names[0]!, state: state.state, why }
}

export interface Wipe {
  /** What is there, for whoever has to agree. */
  shown: ListedDisk
  /** Does it, under the cluster's lock. */
  wipe(o: FixOptions): Promise<Applied>
}

/** What would be lost with a disk. Throws Failure: 2 where there is none of that name, 9 for one that is in use. */
export async function wipeOf(
  on: Connection,
  o: { node: WantedNode; name: string; signal?: AbortSignal },
): Promise<Wipe> {
  const { name, node } = o
  const asked = [disks, ...registry.flatMap(component => component.disksInUse?.facts ?? [])]
  const { facts, unreached } = await gather([{ connection: on, facts: asked }], o)
  if (unreached.has(node.name)) throw unreached.get(node.name)
  const there = facts.get(node.name, disks)
  const disk = diskNamed(there, name)
  if (!disk)
    throw new Failure(`There is no disk ${name} on ${node.name}.`, {
      exit: EXIT.usage,
      next: `See them: llmagentos node disk list ${node.name}`,
    })
  const why = usedBy(disk, { facts, node: node.name }) ?? inUse(disk)
  if (why !== undefined)
    throw new Failure(`${node.name}/${name} is not wiped: ${why}.`, {
      exit: EXIT.unsafe,
      why: `nothing was changed on ${disk.path}`,
    })
  const doing = `node disk wipe ${node.name} ${name}`
  return {
    shown: listed(disk),
    wipe: fix =>
      underLock([wiping(node.name, { name, disk })], { ...fix, doing, says: doing, component: 'disks' }),
  }
}

/** Components whose data lies on disks say so, also while nothing runs. */
function usedBy(disk: Disk, o: { facts: Facts; node: string }): string | undefined {
  for (const { disksInUse } of registry) {
    const why = disksInUse?.why(disk, o)
    if (why !== undefined) return why
  }
  return undefined
}
