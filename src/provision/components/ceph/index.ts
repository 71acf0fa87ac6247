import { disks } from '../../disks/fact.ts'
import { memory } from '../../facts/memory.ts'
import { os } from '../../facts/os.ts'
import { namesFact } from '../base/addresses.ts'
import type { Component } from '../component.ts'
import { looks } from './file/look.ts'
import { mountsOf } from './file/names.ts'
import { full } from './full.ts'
import { items, keepsDisks } from './items.ts'
import { judge } from './judge.ts'
import { secrets } from './keys.ts'
import { leave } from './leave.ts'
import { memoryOf } from './memory.ts'
import { COMPONENT, isDaemonNode, isMon, monNodes, placed, ports } from './names.ts'
import { endpoints, rgwNodes } from './object/gateways.ts'
import { rgwCertificates } from './object/items.ts'
import { bucketCheck } from './object/judge.ts'
import { askedOn, s3 } from './object/s3.ts'
import { disksInUse } from './osds/in-use.ts'
import { made } from './osds/made.ts'
import { removeDisk } from './osds/remove.ts'
import { replaceDisk } from './osds/replace.ts'
import { smart } from './osds/smart.ts'
import { plan } from './plan.ts'
import { refuse } from './refuse.ts'
import { type Config, schema } from './schema.ts'
import { archive } from './source/fact.ts'
import { stores } from './stores.ts'
import { told } from './told.ts'
import { outdated } from './versions.ts'

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
  uses: (view, node, facts) => ({
    memoryBytes: memoryOf(view, node, facts),
    disk: isDaemonNode(node) ? [{ path: '/var/lib/ceph', bytes: 4 * 1024 ** 3 }] : [],
  }),
  facts: (view, node) => [
    namesFact(view),
    os,
    archive,
    outdated,
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
  check: {
    facts: (view, node) => [...bucketCheck.facts(view, node), ...full.facts(view, node)],
    judge: (view, facts) => [...bucketCheck.judge(view, facts), ...full.judge(view, facts)],
    repairs: full.repairs,
  },
  disksInUse,
  replaceDisk,
  removeDisk,
  leave,
  judge,
}
