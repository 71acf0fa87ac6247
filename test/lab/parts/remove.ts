import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { networkOfLab, removeNetwork } from './bridge.ts'
import { removeTraces } from './container.ts'
import { detachAll } from './disks.ts'
import { exclusive } from './exclusive.ts'
import { killAll, removeFence } from './fence.ts'
import { folderOf, LABS, labNames, orphaned, type Record, recordOf, removeClaims } from './files.ts'
import { placeOf, removeFolder } from './place.ts'

/**
 * Ends and removes all of one lab: its processes, loop devices, groups, network, mounts and files, as far as they are there. The
 * folder goes last, so that whoever is killed on the way leaves a name by which the next one finds the rest.
 */
export const removeLab = (name: string): Promise<void> => exclusive(LABS, () => remove(name))

/** Removes the labs whose process is gone, or that `ended` names. Those of living processes, and those made to stay, are left alone. */
export function removeLeftovers(ended: (lab: Record) => boolean = () => false): Promise<string[]> {
  return exclusive(LABS, async () => {
    removeClaims()
    const left = labNames().filter(name => {
      const record = recordOf(name)
      return !record || orphaned(record) || ended(record)
    })
    for (const name of left) await remove(name)
    return left
  })
}

async function remove(name: string): Promise<void> {
  const network = networkOfLab(name)
  await killAll(name)
  detachAll(name)
  await removeFence(name)
  const record = recordOf(name)
  for (const node of record?.nodes ?? []) {
    const place = placeOf(record!, node)
    if (network && existsSync(place.root)) removeTraces(place, network.machine(node.number))
  }
  await removeNetwork(name)
  removeFolder(folderOf(name))
  removeEmpty()
}

function removeEmpty(): void {
  for (const folder of [join(LABS, '.numbers'), LABS])
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
}
