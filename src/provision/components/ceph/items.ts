import { Secret } from '../../../secret.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import type { FileItem, Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { inputLines } from '../../os/unit.ts'
import type { View } from '../component.ts'
import { blockItems } from './block/items.ts'
import { confOf } from './conf.ts'
import { fileItems, filePackages } from './file/items.ts'
import { keyring } from './keys.ts'
import { ADMIN_KEYRING, ADMIN_SECRET, CONF, daemonSecret, isMon, mgrKeyring, unitOf } from './names.ts'
import { fillItems } from './object/fill.ts'
import { rgwNodes } from './object/gateways.ts'
import { rgwItems } from './object/items.ts'
import { osdItems, osdPackages } from './osds/items.ts'
import type { Config } from './schema.ts'
import { sourceOf } from './source/choose.ts'
import { saysOf as saysSource, sourceItems } from './source/items.ts'
import { releaseOn, versionOf } from './sources.ts'

/** What Ceph keeps on a node, in the order of making. Nothing starts here by itself: plan.ts puts starts where they belong. */
export function items(view: View<Config>, facts: Facts, node: WantedNode): Item[] {
  const conf = confOf(view, facts, node)
  return [
    ...sourceItems(view, facts, node),
    { kind: 'package', names: packagesOf(view, facts, node), held: true, says: saysOf(view, facts, node) },
    { ...FILE, path: CONF, text: conf, says: 'the way to the monitors' },
    ...(isMon(node) ? controlItems(view, node, inputsOf(conf)) : []),
    ...(keepsDisks(node) ? osdItems(facts, node) : []),
    ...(isGateway(view, node) ? rgwItems(view, node, inputsOf(conf)) : []),
    ...fillItems(view, node),
    ...fileItems(view, node, inputsOf(conf)),
    ...blockItems(view, node),
  ]
}

const FILE = { kind: 'file', mode: 0o644, owner: 'root:root' } as const

export const keepsDisks = (node: WantedNode) => node.roles.includes('storage') && node.disks.length > 0

function controlItems(view: View<Config>, { name }: WantedNode, inputs: string): Item[] {
  const admin = view.secret(ADMIN_SECRET).reveal()
  const own = view.secret(daemonSecret('mgr', name))
  return [
    {
      ...FILE,
      path: ADMIN_KEYRING,
      text: new Secret(keyring('client.admin', admin)),
      mode: 0o600,
      says: 'for root, who may all; on control nodes alone',
    },
    {
      ...FILE,
      path: mgrKeyring(name),
      text: new Secret(keyring(`mgr.${name}`, own.reveal())),
      mode: 0o600,
      owner: 'ceph:ceph',
      says: 'the manager is known by it',
    },
    ...daemonItems('mon', { name, inputs, says: 'keeps the maps of the cluster' }),
    ...daemonItems('mgr', {
      name,
      inputs: `${inputs}-${sha256(own).slice(0, 8)}`,
      says: 'counts and reports',
    }),
  ]
}

export function daemonItems(
  daemon: Parameters<typeof unitOf>[0],
  o: { name: string; inputs: string; says: string },
): Item[] {
  const unit = unitOf(daemon, o.name)
  const dropIn: FileItem = {
    ...FILE,
    path: `/etc/systemd/system/${unit}.d/llmagentos.conf`,
    text: `[Service]\n${inputLines(o.inputs, { process: true })}`,
    says: 'what it was started from',
  }
  return [dropIn, { kind: 'unit', name: unit, says: o.says, inputs: o.inputs }]
}

/** Of what a start reads for good; a new list of mons restarts nobody. */
export const inputsOf = (conf: string) =>
  sha256(
    conf
      .split(/^\[(?!global\])/m)[0]!
      .replace(/^(mon_host|ms_bind_port_max) .*\n/gm, '')
      .trim(),
  ).slice(0, 12)

const isGateway = ({ cluster, config }: View<Config>, node: WantedNode) =>
  rgwNodes(cluster, config).includes(node)

const packagesOf = (view: View<Config>, facts: Facts, node: WantedNode) => [
  'ceph-common',
  ...(isMon(node) ? ['ceph-base', 'ceph-mon', 'ceph-mgr'] : []),
  ...(keepsDisks(node) ? osdPackages(view.config, releaseOn(view, node, facts)) : []),
  ...(isGateway(view, node) ? ['radosgw'] : []),
  ...filePackages(view, node),
]

/** `Ceph 18.2.7 (reef), end of life since 2026-03-31`. */
function saysOf(view: View<Config>, facts: Facts, node: WantedNode): string {
  const [version, release] = [versionOf(view, node, facts), releaseOn(view, node, facts)]
  const source = sourceOf(view, node, facts)
  const name = version && release ? `${version} (${release.name})` : (version ?? release?.name ?? '')
  const ended = release?.ended ? `, end of life since ${release.ended}` : ''
  return `Ceph ${name}${source.kind === 'distro' ? '' : `, ${saysSource(source)}`}${ended}`
}
