/** One whole disk of a node, as it was found. */
export interface Disk {
  /** `/dev/sdb`: as it is called now. */
  path: string
  /** In /dev/disk/by-id, the best first; where it has none of those, in by-path, and the kernel's. */
  names: string[]
  /** Empty where it tells none. */
  serial: string
  model: string
  sizeBytes: number
  rotational: boolean
  removable: boolean
  readonly: boolean
  holds: Holding[]
  /** Programs that have it open, such as `ceph-osd (812)`. */
  openers: string[]
  /** Why it could not be looked into; then `holds` is not all. */
  unknown?: string
}

export type Holding =
  | { kind: 'mount'; at: string }
  | { kind: 'swap' }
  | { kind: 'partition' | 'holder'; name: string }
  /** As libblkid calls it: ext4, gpt, LVM2_member. */
  | { kind: 'signature'; type: string }
  | ({ kind: 'bluestore' } & Osd)
  | Volume
  | { kind: 'data'; where: 'first' | 'last' }
  /** Something has it open exclusively. */
  | { kind: 'busy' }

/** Of LVM. Room that a group has left on the disk is one without a name. */
export interface Volume {
  kind: 'volume'
  group: string
  name: string
  bytes: number
  /** Of the whole group. */
  freeBytes: number
  osd?: Osd
  encrypted?: boolean
}

/** What an OSD's label says. Its cluster and its number are there once it was made whole. */
export interface Osd {
  uuid: string
  fsid?: string
  id?: number
  whole: boolean
}

export interface Disks {
  disks: Disk[]
  /** Names in /dev/disk/by-id of what is no whole disk. */
  others: string[]
}

/** All names count, whichever is the best. */
export const diskNamed = ({ disks }: Disks, name: string): Disk | undefined =>
  disks.find(disk => disk.names.includes(name))

export const volumesOn = ({ holds }: Disk): Volume[] => holds.filter(one => one.kind === 'volume')

/** A volume for the index of an OSD, whose data lie on another disk. */
export const isIndex = ({ name }: Volume): boolean => name.startsWith('osd-db-')

/** The OSD that lies on it, of BlueStore's own label or of the tags on a volume. */
export function osdOn(disk: Disk): Osd | undefined {
  for (const one of disk.holds) {
    if (one.kind === 'bluestore') return one
    if (one.kind === 'volume' && one.osd) return one.osd
  }
  return undefined
}

export const kindOfDisk = ({
  path,
  rotational,
}: Pick<Disk, 'path' | 'rotational'>): 'hdd' | 'ssd' | 'nvme' =>
  rotational ? 'hdd' : path.startsWith('/dev/nvme') ? 'nvme' : 'ssd'
