import { createHash } from 'node:crypto'

/**
 * The uuid that an OSD has on this disk of this node in this cluster. It follows from the three, so that a killed `up` goes on with the same
 * one, the mons give it no second id, and what lies half-made on a disk is known for ours.
 */
export function osdUuid(o: { fsid: string; node: string; disk: string }): string {
  const hex = createHash('sha256').update(`llmagentos osd\0${o.fsid}\0${o.node}\0${o.disk}`).digest('hex')
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

/** The volume group on the disk of an OSD. */
export const blockGroup = (uuid: string): string => `ceph-${uuid}`
