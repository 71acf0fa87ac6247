import { disks } from '../../disks/fact.ts'
import { memory } from '../../facts/memory.ts'
import { os } from '../../facts/os.ts'
import { namesFact } from '../base/addresses.ts'
import type { Component } from '../component.ts'
import { looks } from './file/look.ts'
import { fileMemoryBytes, mountsOf } from './file/names.ts'
import { full } from './full.ts'
import { items, keepsDisks } from './items.ts'
import { judge } from './judge.ts'
import { secrets } from './keys.ts'
import { leave } from './leave.ts'
import { COMPONENT, isDaemonNode, isMon, monNodes, placed, ports } from './names.ts'
import { endpoints, rgwNodes } from './object/gateways.ts'
import { rgwCertificates } from './object/items.ts'
import { askedOn, s3 } from './object/s3.ts'
import { disksInUse } from './osds/in-use.ts'
import { made } from './osds/made.ts'
import { removeDisk } from './osds/remove.ts'
import { replaceDisk } from './osds/replace.ts'
import { smart } from './osds/smart.ts'
import { plan } from './plan.ts'
import { refuse } from './refuse.ts'
import { type Config, schema } from './schema.ts'
import { candidate } from './sources.ts'
import { stores } from './stores.ts'
import { told } from './told.ts'

const MIB = 1024 ** 2

/** Ceph: mons and mgrs on the control nodes, OSDs on the disks of the storage nodes, gateways of S3. */
export const ceph: Component<Config> = {
  name: COMPONENT,
  schema,
  needs: [],
  gives: ['s3'],
  usual: false,
  placed,
  // Mons that disagree by 0.05 s say so, and by more they lose their quorum.
  exactTime: monNodes,
  secrets,
  ports,
  offers: ({ cluster, config }, from) => endpoints(cluster, config, from),
  uses: (view, node) => ({
    memoryBytes: (node.roles.includes('control') ? 1024 * MIB : 0) + fileMemoryBytes(view, node),
    disk: [{ path: '/var/lib/ceph', bytes: 4 * 1024 * MIB }],
  }),
  facts: (view, node) => [
    namesFact(view),
    os,
    candidate,
    stores,
    ...(isDaemonNode(node) ? [disks, made] : []),
    ...(keepsDisks(node) ? [memory, smart] : []),
    ...(mountsOf(view.config, node).length > 0 ? [looks(view.config, node)] : []),
    ...(isMon(node) ? [told(node.name)] : []),
    ...(askedOn(view) === node.name && rgwNodes(view.cluster, view.config).length > 0 ? [s3(view)] : []),
  ],
  refuse,
  items,
  certificates: (view, _facts, node) =>
    rgwNodes(view.cluster, view.config).includes(node) ? rgwCertificates(view, node) : [],
  plan: (view, facts) => plan(ceph, view, facts),
  disksInUse,
  replaceDisk,
  removeDisk,
  leave,
  check: full,
  judge,
}
