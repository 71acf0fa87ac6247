import type { WantedNode } from '../../../cluster/cluster.ts'
import { type Disk, volumesOn } from '../../../disks/disk.ts'
import { SMALLEST } from '../../../disks/guard.ts'
import type { Config } from '../schema.ts'
import { osdUuid } from './identity.ts'
import type { Made } from './made.ts'
import { heldIndexes } from './places.ts'

/** A disk that holds the indexes of others. */
export interface Shared {
  /** Its name. */
  db: string
  /** Of the OSDs whose indexes it holds. */
  disks: string[]
}

const GIB = 1024 ** 3
/** Of each volume LVM keeps at most this for itself: the begin of the disk, and what does not fill an extent. */
const LOST = 8 * 1024 ** 2

export function sharedOn({ disks }: Pick<WantedNode, 'disks'>): Shared[] {
  const names = [...new Set(disks.flatMap(({ db }) => db ?? []))]
  return names.map(db => ({ db, disks: disks.filter(disk => disk.db === db).map(({ id }) => id) }))
}

/** The volume group on a disk with indexes. It follows from cluster, node and disk, as an OSD's uuid does. */
export const indexGroup = (o: { fsid: string; node: string; disk: string }): string => `ceph-db-${osdUuid(o)}`

/** What is known of the disk with the index of an OSD that goes, where it holds no other. */
export const lastIndex = (old: Made, osds: Made[]) =>
  old.db !== undefined && !osds.some(one => one !== old && one.db === old.db) ? [heldIndexes(old.db)] : []

/** Why a disk cannot hold the indexes of `missing` more OSDs beside those with the uuids `made`, as the end of "it ..."; undefined where it can. */
export function tooFull(
  disk: Disk,
  { shared, missing, made, config }: { shared: Shared; missing: number; made: string[]; config: Config },
): string | undefined {
  const each = partOf(disk, { shared, config })
  const inGib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`
  if (disk.sizeBytes < SMALLEST) return 'is smaller than 5 GiB'
  if (each < GIB) return `would give each index ${inGib(each)}, and one wants 1 GiB at least`
  const volumes = volumesOn(disk)
  // What was cut short is taken away before it is made again.
  const halves = volumes.filter(({ osd }) => osd && !made.includes(osd.uuid))
  const free = halves.reduce((sum, { bytes }) => sum + bytes, volumes[0]?.freeBytes ?? disk.sizeBytes)
  if (each * missing <= free) return undefined
  const wanted = `${missing === 1 ? 'one more index' : `${missing} more indexes`} of ${inGib(each)}`
  return `has ${inGib(free)} left, too little for ${wanted}`
}

/** `dbSize` for each, or equal parts for the disks of the file. */
const partOf = ({ sizeBytes }: Disk, { shared, config }: { shared: Shared; config: Config }): number =>
  config.osd.dbSizeBytes ?? Math.floor(sizeBytes / shared.disks.length) - LOST
