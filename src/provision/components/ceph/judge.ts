import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import type { Finding, View } from '../component.ts'
import { blockFindings } from './block/judge.ts'
import { fileFindings } from './file/judge.ts'
import { raisedNow } from './full.ts'
import { healthOf } from './health.ts'
import { COMPONENT, isMon, monNodes, unitOf } from './names.ts'
import { objectFindings } from './object/judge.ts'
import { judgeDisks } from './osds/judge.ts'
import type { Config } from './schema.ts'
import { releaseOn, versionOf } from './sources.ts'
import { anyTold, type Told, told } from './told.ts'
import { short, versionFindings } from './versions.ts'

type Said = Omit<Finding, 'node'>

/** How each daemon is, and how the cluster is that they make. */
export function judge(view: View<Config>, facts: Facts): Finding[] {
  const up = anyTold(view, facts)
  const mons = view.nodes.filter(isMon)
  return [
    ...mons.flatMap(node =>
      daemons(node, { facts, told: up?.told }).map(said => ({ ...said, node: node.name })),
    ),
    ...(up
      ? [
          ...cluster(view, up.told),
          ...versionFindings(view, facts, up.told),
          ...objectFindings(view, facts, up.told),
          ...fileFindings(view, facts, up.told),
          ...blockFindings(view, up.told),
        ]
      : noQuorum(view, facts)),
    ...judgeDisks(view, facts),
    ...old(view, facts),
  ]
}

function daemons({ name }: WantedNode, o: { facts: Facts; told?: Told }): Said[] {
  const manifest = o.facts.peek(name, kept)
  if (!manifest.known) return [{ level: 'unknown', says: `It did not tell what we keep: ${manifest.why}.` }]
  const has = (unit: string) => manifest.value.entries.some(e => e.component === COMPONENT && e.name === unit)
  if (!has(unitOf('mon', name))) return [{ level: 'unknown', says: 'It has no monitor yet.' }]
  const down = (['mon', 'mgr'] as const).flatMap(daemon => {
    const unit = unitOf(daemon, name)
    const active = manifest.value.units.get(unit)?.active ?? 'gone'
    return !has(unit) || active === 'active' ? [] : [{ daemon: WORDS[daemon], active }]
  })
  if (down.length > 0)
    return down.map(({ daemon, active }) => ({
      level: 'bad' as const,
      says: `Its ${daemon} is ${active}.`,
      fix: 'Run `cluster up`.',
    }))
  if (o.told && !o.told.status.quorum_names.includes(name))
    return [
      {
        level: 'bad',
        says: 'Its monitor runs, and is not in the quorum.',
        fix: 'Look at the network between the control nodes (TCP 3300).',
      },
    ]
  return o.told ? [{ level: 'ok', says: 'Its monitor is in the quorum.' }] : []
}

const WORDS = { mon: 'monitor', mgr: 'manager' } as const

function cluster({ cluster: wanted }: View<Config>, told: Told): Said[] {
  const names = monNodes(wanted).map(node => node.name)
  const inMap = told.mons.mons.map(mon => mon.name)
  const extra = inMap.filter(name => !names.includes(name))
  const missing = names.filter(name => !inMap.includes(name))
  const health = healthOf(told)
  const versions = Object.keys(told.versions['overall'] ?? {})
  return [
    ...missing.map(name => ({
      level: 'bad' as const,
      says: `${name} is no monitor of it yet.`,
      fix: 'Run `cluster up`.',
    })),
    ...extra.map(name => ({ level: 'warn' as const, says: `${name} is a monitor, and not in the file.` })),
    ...raisedNow(told),
    ...health,
    {
      level: 'ok' as const,
      says: `Ceph ${versions.map(short).join(', ')} ${health.length === 0 ? 'is healthy' : 'runs'}: ${summary(told)}.`,
    },
  ]
}

function summary({ status, osds, mons }: Told): string {
  const up = osds.osds.filter(one => one.up === 1).length
  const disks = osds.osds.length === 0 ? 'no disk yet' : `${up} of ${osds.osds.length} OSDs up`
  return `${status.quorum_names.length} of ${mons.mons.length} monitors, ${disks}`
}

function noQuorum(view: View<Config>, facts: Facts): Said[] {
  const asked = view.nodes
    .filter(isMon)
    .map(node => ({ node: node.name, answer: facts.peek(node.name, told(node.name)) }))
  const silent = asked.find(({ answer }) => !answer.known)
  const states = asked.flatMap(({ answer }) => (answer.known ? [answer.value.state] : []))
  if (states.includes('no quorum') || states.includes('refused'))
    return [
      {
        level: 'bad',
        says: 'The monitors have no quorum: nothing can be read or written.',
        fix: `Bring up most of ${monNodes(view.cluster)
          .map(node => node.name)
          .join(', ')}; then run \`cluster up\`.`,
      },
    ]
  if (silent && !silent.answer.known)
    return [{ level: 'unknown', says: `The monitors did not tell how they are: ${silent.answer.why}.` }]
  return []
}

function old(view: View<Config>, facts: Facts): Finding[] {
  return view.nodes.flatMap(node => {
    const [version, release] = [versionOf(view, node, facts), releaseOn(view, node, facts)]
    if (!release?.ended) return []
    return [
      {
        level: 'warn' as const,
        node: node.name,
        says: `Ceph ${version} (${release.name}) gets no more fixes since ${release.ended}.`,
        fix: 'Plan the way to a release of Debian whose Ceph is maintained.',
      },
    ]
  })
}
