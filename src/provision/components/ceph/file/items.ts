import { Secret } from '../../../../secret.ts'
import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Item } from '../../../os/item.ts'
import { sha256 } from '../../../os/now.ts'
import { fill } from '../../../os/template.ts'
import { inputLines } from '../../../os/unit.ts'
import type { View } from '../../component.ts'
import { keyring } from '../keys.ts'
import { daemonSecret } from '../names.ts'
import type { Config } from '../schema.ts'
import * as names from './names.ts'

const FILE = { kind: 'file', mode: 0o644, owner: 'root:root' } as const
const PROGRAM = '/usr/local/lib/llmagentos-ceph-mount.py'

/** The metadata server of a node, and its mounts. Nothing starts here by itself: plan.ts puts starts where they belong. */
export const fileItems = (view: View<Config>, node: WantedNode, settings: string): Item[] => [
  ...(names.mdsNodes(view.cluster, view.config).includes(node) ? serverItems(view, node, settings) : []),
  ...mountItems(view, node),
]

export const filePackages = ({ cluster, config }: View<Config>, node: WantedNode): string[] => [
  ...(names.mdsNodes(cluster, config).includes(node) ? ['ceph-mds'] : []),
  ...(names.mountsOf(config, node).length > 0 ? ['ceph-fuse'] : []),
]

function serverItems(view: View<Config>, { name }: WantedNode, settings: string): Item[] {
  const key = view.secret(daemonSecret('mds', name))
  const unit = names.mdsUnit(name)
  const inputs = `${settings}-${sha256(key).slice(0, 8)}`
  return [
    {
      ...FILE,
      path: names.mdsKeyring(name),
      text: new Secret(keyring(`mds.${names.mdsName(name)}`, key.reveal())),
      mode: 0o600,
      owner: 'ceph:ceph',
      says: 'the metadata server is known by it',
    },
    {
      ...FILE,
      path: `/etc/systemd/system/${unit}.d/llmagentos.conf`,
      text: `[Service]\n${inputLines(inputs, { process: true })}`,
      says: 'what it was started from',
    },
    { kind: 'unit', name: unit, says: 'keeps names and folders of the file system', inputs },
  ]
}

function mountItems(view: View<Config>, node: WantedNode): Item[] {
  const paths = names.mountsOf(view.config, node)
  if (paths.length === 0) return []
  const key = view.secret(daemonSecret('fs', node.name))
  const client = names.clientName(node.name)
  return [
    {
      ...FILE,
      path: names.clientKeyring(node.name),
      text: new Secret(keyring(`client.${client}`, key.reveal())),
      mode: 0o600,
      says: 'mounts of the node are known by it',
    },
    // A new version of it is used from the next start on: a restart would cut off whoever has files open.
    {
      ...FILE,
      path: PROGRAM,
      text: fill('ceph/mount.py', {}),
      says: 'mounts the file system, and stays with it',
    },
    ...paths.flatMap(path => mounted(path, { client, inputs: sha256(key).slice(0, 12) })),
  ]
}

function mounted(path: string, { client, inputs }: { client: string; inputs: string }): Item[] {
  const unit = names.mountUnit(path)
  const text = fill('ceph/llmagentos-cephfs.service', {
    ...{ program: PROGRAM, path, client, system: names.FS },
    inputs: { lines: [inputLines(inputs, { process: true }).trim()] },
  })
  return [
    { ...FILE, path: `/etc/systemd/system/${unit}`, text, says: `mounts the file system at ${path}` },
    { kind: 'unit', name: unit, says: `the file system at ${path}`, inputs },
  ]
}
