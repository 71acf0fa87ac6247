import type { Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import { itemSteps, renewalWaves, waveOver } from '../../os/index.ts'
import { type Step, step, type Wave } from '../../reconcile/step.ts'
import type { Component, View } from '../component.ts'
import { accountSteps, mendAdmin } from './accounts.ts'
import { GET, HEALTHY, SPARE } from './api.ts'
import { broker, data } from './broker.ts'
import { cookieIn, textsOf } from './conf.ts'
import { brokerName, COMPONENT, held, UNIT } from './names.ts'
import { queueSteps } from './queues.ts'
import type { Config } from './schema.ts'
import { seriesOf, since4, versionOf } from './series.ts'

// The first start makes a database, later ones wait for the other brokers and read what they have.
const HEALTHY_MS = 5 * 60_000
const ANSWERS_MS = 2 * 60_000

/** Everything but starts on all nodes at once, then starts; in a later round what is said to the running cluster, then restarts one by one. */
export function plan(component: Component<Config>, view: View<Config>, facts: Facts): Wave[] {
  const kept = waveOver(view, 'rabbitmq: what it keeps', node => {
    const items = component.items(view, facts, view.nodes.find(one => one.name === node)!)
    return itemSteps({ node, component: COMPONENT, items, facts })
  })
  const all = kept.flatMap(wave => wave.steps)
  const starts = all.filter(starting)
  const before = kept.map(wave => ({ ...wave, steps: wave.steps.filter(one => !starting(one)) }))
  const first = starts.filter(one => one.risk !== 'restart')
  const restarts = joining(view, facts) ? [] : starts.filter(one => one.risk === 'restart')
  return [
    ...before.filter(wave => wave.steps.length > 0 || wave.stopped),
    ...renewalWaves(component, view, facts),
    // Queues get their copies on brokers that joined before one that has the only copy restarts.
    ...(first.length > 0
      ? startWaves({ view, facts, starts: first })
      : [...said(view, facts), ...restartWaves({ view, facts, starts: restarts })]),
  ]
}

/** Those who serve restart once the others are there, which takes further rounds. */
const joining = (view: View<Config>, facts: Facts): boolean =>
  view.nodes.some(({ name }) => {
    const answer = facts.peek(name, kept)
    return answer.known && !answer.value.entries.some(e => e.component === COMPONENT && e.name === UNIT)
  })

interface Starts {
  view: View<Config>
  facts: Facts
  starts: Step[]
}

/** Starts, restarts and what enables the unit; nothing else of the items is about it. */
const starting = ({ act }: Step) => act.do === 'run' && act.argv.at(-1) === UNIT

/**
 * Where nobody has data yet, one broker of 3.x begins alone, so that there can be no two clusters. From 4.0 on the brokers see to that:
 * none begins before it found most of the others.
 */
function startWaves({ view, facts, starts }: Starts): Wave[] {
  if (starts.length === 0) return []
  const blank = view.nodes.every(({ name }) => facts.get(name, data).length === 0)
  const noted = starts.map(one => ({ ...one, leaves: [...one.leaves, ...newlyHeld(one.node, facts)] }))
  const alone = blank && view.nodes.some(node => !since4(seriesOf(versionOf(node, facts) ?? '')))
  const first = alone ? noted.slice(0, 1) : []
  const others = noted.slice(first.length)
  const up = runningIn(view, facts)
  const wave = (steps: Step[], names: string[]) => ({
    says: `rabbitmq: start ${steps.length === 1 ? 'a broker' : `${steps.length} brokers`}`,
    steps: steps.flatMap(one => [one, healthy(one.node, names)]),
  })
  const name = nameIn(view)
  return [
    ...(first.length > 0 ? [wave(first, first.map(name))] : []),
    ...(others.length > 0 ? [wave(others, [...new Set([...up, ...noted.map(name)])])] : []),
  ]
}

/** A broker stops only when no queue would lose its majority, and the next one when all run again. */
function restartWaves({ view, facts, starts }: Starts): Wave[] {
  const name = nameIn(view)
  const up = [...new Set([...runningIn(view, facts), ...starts.map(name)])]
  if (starts.some(({ node }) => otherCookie(view, facts, node))) return together({ view, facts, starts }, up)
  return starts.map(one => ({
    says: `rabbitmq: restart the broker of ${one.node}`,
    steps: [...(up.length > 1 ? [spare(one.node)] : []), one, healthy(one.node, up)],
  }))
}

/** Brokers with another cookie do not let each other in, so all of them change it at once: nobody is served meanwhile. */
const together = ({ starts }: Starts, up: string[]): Wave[] => [
  {
    says: 'rabbitmq: stop all brokers, because their cookie changed',
    steps: starts.map(({ node }) =>
      step({
        node,
        says: `stop ${UNIT}: all brokers take a new cookie at once`,
        risk: 'restart',
        deadlineMs: HEALTHY_MS,
        act: { do: 'run', argv: ['systemctl', 'stop', UNIT] },
      }),
    ),
  },
  {
    says: 'rabbitmq: start all brokers with their new cookie',
    steps: starts.flatMap(one => [one, healthy(one.node, up)]),
  },
]

function otherCookie(view: View<Config>, facts: Facts, node: string): boolean {
  const now = cookieIn(facts.get(node, kept).units.get(UNIT)?.inputs)
  return now !== undefined && now !== cookieIn(textsOf(view, facts, nodeIn(view, node)).inputs)
}

/** Users, rights and copies of queues, in a cluster that runs; through one broker. */
function said(view: View<Config>, facts: Facts): Wave[] {
  const asked = view.nodes.flatMap(({ name }) => {
    const answer = facts.peek(name, broker)
    const runs = facts.peek(name, kept)
    const active = runs.known && runs.value.units.get(UNIT)?.active === 'active'
    return answer.known && active ? [{ node: name, told: answer.value }] : []
  })
  const up = asked.flatMap(({ node, told }) => (told.state === 'up' ? [{ node, told }] : []))[0]
  const refused = asked.find(({ told }) => told.state === 'refused')
  const steps = up
    ? [...accountSteps(view, up), ...queueSteps(view, up)]
    : refused
      ? [mendAdmin(view, refused.node)]
      : asked.filter(({ told }) => told.state === 'down').map(({ node }) => answers(node))
  return steps.length > 0 ? [{ says: 'rabbitmq: users, rights and queues', steps }] : []
}

const newlyHeld = (node: string, facts: Facts) =>
  facts.get(node, kept).entries.some(e => e.component === COMPONENT && e.kind === 'held') ? [] : [held]

const runningIn = (view: View<Config>, facts: Facts): string[] =>
  view.nodes.flatMap(node => {
    const answer = facts.peek(node.name, broker)
    return answer.known && answer.value.state === 'up' ? [brokerName(view.cluster, node)] : []
  })

const nodeIn = (view: View<Config>, name: string) => view.nodes.find(node => node.name === name)!
const nameIn = (view: View<Config>) => (one: Step) => brokerName(view.cluster, nodeIn(view, one.node))

const waiting = (node: string, o: { says: string; deadlineMs: number; argv: string[] }): Step =>
  step({ node, risk: 'add', says: o.says, deadlineMs: o.deadlineMs, act: { do: 'wait', argv: o.argv } })

const healthy = (node: string, names: string[]) =>
  waiting(node, {
    says: `wait until ${names.length === 1 ? 'it runs' : `${names.length} brokers run`} without an alarm`,
    deadlineMs: HEALTHY_MS,
    argv: ['bash', '-c', HEALTHY, 'bash', ...names],
  })

const spare = (node: string) =>
  waiting(node, {
    says: 'wait until no queue needs this broker for its majority',
    deadlineMs: HEALTHY_MS,
    argv: ['bash', '-c', SPARE, 'bash'],
  })

const answers = (node: string) =>
  waiting(node, {
    says: 'wait until the broker answers',
    deadlineMs: ANSWERS_MS,
    argv: ['bash', '-c', `! (${GET}) | grep -qx down`, 'bash', '/api/whoami'],
  })
