import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Facts } from '../../../facts/fact.ts'
import { waveOver } from '../../../os/index.ts'
import { type Step, step, type Wave } from '../../../reconcile/step.ts'
import type { View } from '../../component.ts'
import type { Config } from '../schema.ts'
import { made } from './made.ts'
import type { KnownOsd } from './map.ts'
import { osdUnit } from './places.ts'
import { makingSteps } from './steps.ts'

const UP_MS = 120_000

/** OSDs on disks that have none, on all nodes at once and one after the other on each. */
export const makingWaves = (view: View<Config>, o: { facts: Facts; known: KnownOsd[] }): Wave[] =>
  waveOver(view, 'ceph: make OSDs', name => makingSteps(view, { ...o, node: nodeIn(view, name) }))

/** Until the mons have heard of those that never ran before; asked on a control node, of the admin. */
export function comingUp(
  view: View<Config>,
  o: { facts: Facts; known: KnownOsd[]; control: string },
): Wave[] {
  const ids = view.nodes.flatMap(({ name }) => {
    const answer = o.facts.peek(name, made)
    return answer.known
      ? answer.value.osds.flatMap(one => (one.whole && one.id !== undefined ? [one.id] : []))
      : []
  })
  const fresh = o.known.filter(one => one.fresh && !one.up && ids.includes(one.id)).map(({ id }) => id)
  return fresh.length === 0 ? [] : [{ says: 'ceph: wait for new OSDs', steps: [isUp(o.control, fresh)] }]
}

/** Starts that only take an OSD in, and restarts, which take one out for a moment and so go one node after the other. */
export function restartWaves(steps: Step[], o: { control: string }): Wave[] {
  const nodes = [...new Set(steps.map(({ node }) => node))]
  return nodes.map(node => {
    const own = steps.filter(one => one.node === node)
    const ids = own.flatMap(one => idOf(one) ?? [])
    return {
      says: `ceph: restart OSDs of ${node}`,
      steps: [okToStop(o.control, ids), ...own, isUp(o.control, ids)],
    }
  })
}

/** For restartWaves, where no setting changed. */
export const restarting = (node: string, id: number): Step =>
  step({
    node,
    says: `restart ${osdUnit(id)}`,
    risk: 'restart',
    deadlineMs: UP_MS,
    act: { do: 'run', argv: ['systemctl', 'restart', osdUnit(id)] },
  })

/** The OSD that an item's step starts or restarts. */
export function idOf({ act }: Step): number | undefined {
  const unit = act.do === 'run' ? act.argv.at(-1) : undefined
  const id = /^ceph-osd@(\d+)\.service$/.exec(unit ?? '')?.[1]
  return id === undefined || unit !== osdUnit(Number(id)) ? undefined : Number(id)
}

const isUp = (control: string, ids: number[]): Step =>
  waiting(control, {
    says: `wait until ${ids.map(id => `osd.${id}`).join(', ')} ${ids.length === 1 ? 'is' : 'are'} up`,
    program: `for id; do ceph --connect-timeout 20 osd info "$id" | grep -q "^osd[.]$id up" || { echo "osd.$id is not up" >&2; exit 1; }; done`,
    ids,
  })

const okToStop = (control: string, ids: number[]): Step =>
  waiting(control, {
    says: `wait until all data stays within reach without ${ids.map(id => `osd.${id}`).join(', ')}`,
    program: 'exec ceph --connect-timeout 20 osd ok-to-stop "$@"',
    ids,
  })

const waiting = (node: string, o: { says: string; program: string; ids: number[] }): Step =>
  step({
    node,
    says: o.says,
    risk: 'add',
    deadlineMs: UP_MS,
    act: { do: 'wait', argv: ['sh', '-c', o.program, 'sh', ...o.ids.map(String)] },
  })

const nodeIn = (view: View<Config>, name: string): WantedNode => view.nodes.find(node => node.name === name)!
