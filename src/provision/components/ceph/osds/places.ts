import { COMPONENT } from '../names.ts'

/** Where OSDs have their folders, each by the name of its disk; ceph-ID is a link to it. */
export const FOLDERS = '/var/lib/ceph/osd'

export const osdUnit = (id: number) => `ceph-osd@${id}.service`

/** What a disk for indexes is known by in the manifest. */
export const heldIndexes = (disk: string) =>
  ({ component: COMPONENT, kind: 'held', name: `${FOLDERS}/indexes-on/${disk}` }) as const

/** What `up` never removes. It is noted before there is an OSD. */
export const heldOsd = (disk: string) =>
  ({ component: COMPONENT, kind: 'held', name: `${FOLDERS}/by-disk/${disk}` }) as const
