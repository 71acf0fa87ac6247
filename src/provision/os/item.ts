import type { ReleaseItem } from '../artifacts/item.ts'
import type { Text } from '../connections/connection.ts'
import type { CertificateItem } from '../secrets/certificates/item.ts'

/**
 * One thing that a component keeps on a node, as data. Each kind has a file beside this one with its fact and its steps:
 * the same lines make it, notice that it drifted, and take it away when it is no longer kept.
 */
export type Item =
  | FileItem
  | BlockItem
  | PackageItem
  | UnitItem
  | UserItem
  | OpeningItem
  | CertificateItem
  | ReleaseItem

/** A file whose whole text is ours. One that was there before us is kept beside, and comes back when ours leaves. */
export interface FileItem {
  kind: 'file'
  path: string
  text: Text
  mode: number
  /** `user:group` */
  owner: string
  /** What it is for, behind the path: `write /etc/chrony/conf.d/llmagentos.conf: time servers of the site`. */
  says: string
}

/** Lines of ours in a file of others, between two marks that name the component. A file that is missing is not made. */
export interface BlockItem {
  kind: 'block'
  path: string
  /** Whole lines, none of which is a mark. */
  text: string
  says: string
}

/** Debian packages that are installed, and held where `held`, so that an upgrade from elsewhere does not restart them. */
export interface PackageItem {
  kind: 'package'
  names: string[]
  held: boolean
  says: string
}

/** A unit that is enabled and runs. It is restarted when what it was started from is no longer what `inputs` says. */
export interface UnitItem {
  kind: 'unit'
  name: string
  says: string
  /** Digest of all that a start reads. The unit carries it (`inputLines`), so that what runs tells what it was started from. */
  inputs?: string
}

/** A system user without a login shell, with a group of its own. */
export interface UserItem {
  kind: 'user'
  name: string
  home: string
  says: string
}

/** A rule in the firewall that the machine has of its own. */
export interface OpeningItem {
  kind: 'opening'
  through: 'ufw' | 'firewalld'
  /** A network such as 10.0.0.0/24, or `any`. */
  from: string
  protocol: 'tcp' | 'udp'
  port: number
  says: string
}
