import { type Disk, isIndex, type Osd, osdOn, type Volume, volumesOn } from './disk.ts'

/** Whether anything may be made on a disk. Only `blank` may. */
export type State =
  | { state: 'blank' }
  /** With all reasons, as the ends of "it ...". */
  | { state: 'refused'; why: string[]; osd?: Osd }
  | { state: 'unknown'; why: string }

/** Ceph's own tools take no less. */
export const SMALLEST = 5 * 1024 ** 3

/** Pure. What could not be found out is unknown, and never blank. */
export function stateOf(disk: Disk): State {
  if (disk.unknown !== undefined) return { state: 'unknown', why: disk.unknown }
  const why = [...whatItIs(disk), ...whatItHolds(disk)]
  if (why.length === 0) return { state: 'blank' }
  const osd = osdOn(disk)
  return { state: 'refused', why, ...(osd && { osd }) }
}

/** Nothing is on it but volumes for indexes, all in one group; so somebody like us made it. */
export function holdsIndexesAlone(disk: Disk): boolean {
  const volumes = volumesOn(disk)
  return (
    volumes.length > 0 &&
    volumes.every(one => (!one.name || isIndex(one)) && one.group === volumes[0]!.group) &&
    disk.holds.every(
      one =>
        one.kind === 'volume' ||
        (one.kind === 'signature' && one.type === 'LVM2_member') ||
        (one.kind === 'holder' && one.name.startsWith('dm-')),
    )
  )
}

/** It is where the system lives, or part of it. */
export const isRoot = ({ holds }: Disk): boolean =>
  holds.some(one => one.kind === 'mount' && /^\/(boot(\/.*)?|usr|var|etc)?$/.test(one.at))

function whatItIs(disk: Disk): string[] {
  return [
    ...(isRoot(disk) ? ['is the disk of the system'] : []),
    ...(disk.readonly ? ['is read-only'] : []),
    ...(disk.removable ? ['is removable'] : []),
    ...(disk.sizeBytes < SMALLEST ? ['is smaller than 5 GiB'] : []),
  ]
}

/** In words for people; of several signatures of one thing the one that says most. */
export function whatItHolds({ holds }: Disk): string[] {
  const of = <K extends Disk['holds'][number]['kind']>(kind: K) =>
    holds.filter((one): one is Extract<typeof one, { kind: K }> => one.kind === kind)
  const parts = (kind: 'partition' | 'holder') => of(kind).map(one => one.name)
  return [
    ...of('mount').map(one => `is mounted on ${one.at}`),
    ...(of('swap').length > 0 ? ['is swap that is in use'] : []),
    ...(parts('partition').length > 0 ? [`has the partitions ${parts('partition').join(' ')}`] : []),
    ...(parts('holder').length > 0 ? [`is part of ${parts('holder').join(' ')}`] : []),
    ...of('bluestore').map(one => `holds ${osdText(one)}`),
    ...of('volume').flatMap(one => volumeText(one, of('volume'))),
    ...of('signature')
      // Its label says more, where it can be read.
      .filter(one => one.type !== 'ceph_bluestore' || of('bluestore').length === 0)
      .map(one => `holds ${WORDS[one.type] ?? one.type}`),
    ...of('data').map(one => `has data in its ${one.where} 4 MiB`),
    ...(of('busy').length > 0 ? ['is in use by something that shows no more of itself'] : []),
  ]
}

export const osdText = ({ fsid, id, uuid }: Osd): string =>
  `${id === undefined ? `an unfinished OSD (${uuid})` : `osd.${id}`}${fsid ? ` of the Ceph cluster ${fsid}` : ''}`

function volumeText({ group, name, osd, ...volume }: Volume, all: Volume[]): string[] {
  if (!name)
    return all.some(one => one.group === group && one.name)
      ? []
      : [`is the volume group ${group}, which is empty`]
  const whose = osd ? `, ${isIndex({ name } as Volume) ? 'the index of ' : ''}${osdText(osd)}` : ''
  return [`holds the volume ${group}/${name}${whose}${volume.encrypted ? ', encrypted' : ''}`]
}

const WORDS: Record<string, string> = {
  ceph_bluestore: 'BlueStore of Ceph',
  swap: 'swap',
  gpt: 'a partition table (gpt)',
  dos: 'a partition table (dos)',
  PMBR: 'a partition table (protective)',
  LVM2_member: 'a part of LVM',
  LVM1_member: 'a part of LVM',
  linux_raid_member: 'a part of an md array',
  crypto_LUKS: 'LUKS',
  zfs_member: 'a part of a ZFS pool',
  bcache: 'a part of bcache',
  drbd: 'a part of DRBD',
}
