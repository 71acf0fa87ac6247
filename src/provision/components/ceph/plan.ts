import type { Facts } from '../../facts/fact.ts'
import { UnknownFact } from '../../facts/fact.ts'
import { goneSteps, itemSteps, renewalWaves, waveOver } from '../../os/index.ts'
import type { Step, Wave } from '../../reconcile/step.ts'
import type { Component, View } from '../component.ts'
import { accessSteps } from './access.ts'
import { blockWaves } from './block/plan.ts'
import { fileWaves } from './file/plan.ts'
import { type Mons, monWaves, notes } from './mons.ts'
import { COMPONENT, FSID_SECRET } from './names.ts'
import { objectWaves } from './object/plan.ts'
import { optionSteps } from './options.ts'
import { osdWaves } from './osds/plan.ts'
import { refuseForeign } from './refuse.ts'
import type { Config } from './schema.ts'
import { indexStep, isOfSource, sourceItems } from './source/items.ts'
import { anyTold } from './told.ts'

/**
 * Packages, files and keys on all nodes; the mons; and once they answer: who may come in, options, managers, disks. What a later phase needs to
 * hear of an earlier one, it hears in the next round.
 */
export function plan(component: Component<Config>, view: View<Config>, facts: Facts): Wave[] {
  const sources = sourceWaves(view, facts)
  if (sources.length > 0) return sources
  const kept = waveOver(view, 'ceph: packages, settings and keys', name =>
    itemSteps({
      node: name,
      component: COMPONENT,
      items: component.items(view, facts, nodeIn(view, name)),
      facts,
    }),
  )
  const all = kept.flatMap(wave => wave.steps)
  const starts = all.filter(one => daemonOf(one) !== undefined)
  const of = (daemon: string) => starts.filter(one => daemonOf(one) === daemon)
  const before = kept.map(wave => ({ ...wave, steps: wave.steps.filter(one => !starts.includes(one)) }))
  return [
    ...before.filter(wave => wave.steps.length > 0 || wave.stopped),
    ...renewalWaves(component, view, facts),
    ...stoppedAt(() => clusterWaves({ view, facts, of })),
  ]
}

/** Where a node's apt has not read the source of its packages yet; the rest is planned when it is known what the source has. */
function sourceWaves(view: View<Config>, facts: Facts): Wave[] {
  return waveOver(view, 'ceph: where its packages come from; the rest follows once that is known', name => {
    const node = nodeIn(view, name)
    const items = sourceItems(view, facts, node)
    const index = indexStep(view, facts, node)
    if (index) return [...itemSteps({ node: name, component: COMPONENT, items, facts }), index]
    // What keeps those of the suite away goes before they are installed, not after.
    return goneSteps({ node: name, component: COMPONENT, items, facts }).filter(isOfSource)
  })
}

interface Phase {
  view: View<Config>
  facts: Facts
  of(daemon: string): Step[]
}

function clusterWaves({ view, facts, of }: Phase): Wave[] {
  const mons: Mons = { view, facts, starts: new Map(of('mon').map(one => [one.node, one])) }
  const up = anyTold(view, facts)
  if (!up) return monWaves(mons)
  refuseForeign(view.secret(FSID_SECRET).reveal(), up)
  return [
    ...waved('ceph: note the quorum', notes(mons)),
    ...waved('ceph: keys and rights', accessSteps(view, up)),
    ...monWaves(mons),
    ...waved('ceph: options', optionSteps(view, up)),
    ...mgrWaves(of('mgr')),
    ...osdWaves({ view, facts, up, starts: of('osd') }),
    ...objectWaves({ view, facts, up, starts: of('radosgw') }),
    ...fileWaves({ view, facts, up, servers: of('mds'), mounts: of('cephfs') }),
    ...blockWaves({ view, up }),
  ]
}

/** Those that start do it together; those that run restart one after the other, so that another takes over. */
function mgrWaves(starts: Step[]): Wave[] {
  const restarts = starts.filter(one => one.risk === 'restart')
  return [
    ...waved(
      'ceph: start managers',
      starts.filter(one => one.risk !== 'restart'),
    ),
    ...restarts.flatMap(one => waved(`ceph: restart the manager of ${one.node}`, [one])),
  ]
}

/** What a node did not tell stops the phases that follow, and says so. */
function stoppedAt(waves: () => Wave[]): Wave[] {
  try {
    return waves()
  } catch (thrown) {
    if (!(thrown instanceof UnknownFact)) throw thrown
    const why = `${thrown.message} ${thrown.why ?? ''}`.trim()
    return [{ says: 'ceph: the cluster', steps: [], stopped: [{ node: thrown.node, why }] }]
  }
}

const waved = (says: string, steps: Step[]): Wave[] => (steps.length > 0 ? [{ says, steps }] : [])

/** `mon` of a step that starts, restarts or enables ceph-mon@n1.service, `cephfs` of a mount. A certificate that is placed names the unit too. */
function daemonOf({ act }: Step): string | undefined {
  if (act.do !== 'run' || !['start', 'restart', 'enable'].includes(act.argv.at(-2) ?? '')) return undefined
  const found = /^ceph-([a-z]+)@[^/]+\.service$|^llmagentos-(cephfs):/.exec(act.argv.at(-1) ?? '')
  return found?.[1] ?? found?.[2]
}

const nodeIn = (view: View<Config>, name: string) => view.nodes.find(node => node.name === name)!
