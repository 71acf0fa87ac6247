import type { Facts } from '../../../facts/fact.ts'
import { kept } from '../../../facts/kept.ts'
import { type Step, step, type Wave } from '../../../reconcile/step.ts'
import type { View } from '../../component.ts'
import { poolSteps, poolsServe } from '../pools.ts'
import type { Config } from '../schema.ts'
import type { Told } from '../told.ts'
import { endpoints, rgwNodes, rgwUnit } from './gateways.ts'
import { RGW_POOLS } from './pools.ts'
import { askedOn, s3Told } from './s3.ts'
import { userSteps } from './users.ts'
import { ANSWERS } from './wait.ts'

const ANSWERS_MS = 2 * 60_000

/** Pools, then the first gateway alone, because it writes down the zone; then the others; then users and buckets, and restarts one by one. */
export function objectWaves(o: {
  view: View<Config>
  facts: Facts
  up: { node: string; told: Told }
  starts: Step[]
}): Wave[] {
  const { view, facts, up, starts } = o
  if (rgwNodes(view.cluster, view.config).length === 0 || up.told.osds.osds.length === 0) return []
  const pools = poolSteps(view, up, RGW_POOLS)
  if (pools.length > 0) return [{ says: 'ceph: pools of the gateways', steps: pools }]
  if (!poolsServe(view, up.told, RGW_POOLS)) return []
  const running = rgwNodes(view.cluster, view.config).filter(({ name }) => runs(name, facts))
  const first = starts.filter(one => one.risk !== 'restart')
  const alone = running.length === 0 ? first.slice(0, 1) : []
  const wave = (says: string, steps: Step[]): Wave[] =>
    steps.length === 0 ? [] : [{ says, steps: steps.flatMap(one => [one, answers(view, one.node)]) }]
  return [
    ...wave('ceph: the first gateway', alone),
    ...wave(
      'ceph: gateways',
      first.filter(one => !alone.includes(one)),
    ),
    ...starts
      .filter(one => one.risk === 'restart')
      .flatMap(one => wave(`ceph: restart the gateway of ${one.node}`, [one])),
    ...(first.length === 0 ? said(view, facts) : []),
  ]
}

/** Once a gateway answered in this round's facts. */
function said(view: View<Config>, facts: Facts): Wave[] {
  const [node, s3] = [askedOn(view), s3Told(view, facts)]
  if (node === undefined || !s3 || !Object.values(s3.gateways).includes('up')) return []
  const steps = userSteps(view, { node, s3 })
  return steps.length > 0 ? [{ says: 'ceph: users and buckets', steps }] : []
}

function runs(node: string, facts: Facts): boolean {
  const answer = facts.peek(node, kept)
  return answer.known && answer.value.units.get(rgwUnit(node))?.active === 'active'
}

function answers(view: View<Config>, node: string): Step {
  const own = endpoints(view.cluster, view.config, node)[0]!
  return step({
    node,
    says: 'wait until the gateway answers',
    risk: 'add',
    deadlineMs: ANSWERS_MS,
    act: { do: 'wait', argv: ['python3', '-c', ANSWERS, own.host, String(own.port)] },
  })
}
