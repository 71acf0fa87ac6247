import type { Facts } from '../../facts/fact.ts'
import type { Step } from '../../reconcile/step.ts'
import type { Component, Finding, View } from '../component.ts'
import { isMon } from './names.ts'
import { rgwNodes } from './object/gateways.ts'
import type { Config } from './schema.ts'
import { tell } from './tell.ts'
import { anyTold, type Told, told } from './told.ts'

/** Remembered in the cluster while the ratio is raised; `fill.py` looks for it each minute, and puts the ratio back. */
export const RAISED_KEY = 'llmagentos/full-ratio'
const BY = 0.01

/** What is full refuses what is removed, too: a little room lets that free more. */
export const full = {
  facts: (_view, node) => (isMon(node) ? [told(node.name)] : []),
  judge(view, facts) {
    const up = anyTold(view, facts)
    return up ? [...fullNow(up.told), ...raisedNow(up.told)] : silent(view, facts)
  },
  repairs(view, facts): Step[] {
    const up = anyTold(view, facts)
    // Without gateways nobody looks each minute, and nobody would put it back.
    if (!up || !isFull(up.told) || raisedIn(up.told) || rgwNodes(view.cluster, view.config).length === 0)
      return []
    const was = round(up.told.osds.full_ratio)
    const raised = round(was + BY)
    return [
      tell({
        node: up.node,
        says: `raise Ceph's full ratio from ${percent(was)} to ${percent(raised)}, so that what is removed frees room; it goes back by itself`,
        risk: 'change',
        commands: [
          { cmd: { prefix: 'config-key set', key: RAISED_KEY, val: JSON.stringify({ was, raised }) } },
          { cmd: { prefix: 'osd set-full-ratio', ratio: raised } },
        ],
      }),
    ]
  },
} satisfies Component<Config>['check']

const silent = (view: View<Config>, facts: Facts): Finding[] =>
  view.nodes.filter(isMon).flatMap(({ name }) => {
    const answer = facts.peek(name, told(name))
    return answer.known
      ? []
      : [{ level: 'unknown', node: name, says: `It did not tell how full Ceph is: ${answer.why}.` }]
  })

/** For whoever asks how the cluster is, until it is as it was. */
export function raisedNow(told: Told): Finding[] {
  const raised = raisedIn(told)
  if (!raised) return []
  const { was, raised: now } = raised
  return [
    {
      level: 'warn',
      says: `Ceph's full ratio is raised from ${percent(was)} to ${percent(now)} until the fullest disk is below ${percent(round(was - BY))}.`,
      fix: 'Remove what is not needed, or add disks; it goes back by itself within a minute.',
    },
  ]
}

function fullNow(told: Told): Finding[] {
  if (!isFull(told)) return []
  return [
    {
      level: 'bad',
      says: `A disk of Ceph is full, and all writes stop; so does removing.`,
      fix: raisedIn(told)
        ? 'There is no more to raise: add disks.'
        : 'Let removing free room: llmagentos cluster check --fix. Or add disks.',
    },
  ]
}

const isFull = ({ health }: Told) => health.checks['OSD_FULL'] !== undefined

function raisedIn({ kept }: Told): { was: number; raised: number } | undefined {
  const text = kept[RAISED_KEY]
  return text === undefined ? undefined : (JSON.parse(text) as { was: number; raised: number })
}

/** Ceph keeps ratios as floats: 0.95 is 0.949999988079071. */
const round = (ratio: number) => Math.round(ratio * 10_000) / 10_000
const percent = (ratio: number) => `${Math.round(ratio * 1000) / 10} %`
