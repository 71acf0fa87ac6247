import type { Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import { itemSteps, renewalWaves, waveOver } from '../../os/index.ts'
import type { Step, Wave } from '../../reconcile/step.ts'
import type { Component, View } from '../component.ts'
import { keepHere } from './embedded.ts'
import { untilReady } from './health.ts'
import { type Process, processesOf } from './layout.ts'
import { socketOf, unitOf } from './places.ts'
import type { Config } from './schema.ts'
import { SIGNER_UNIT } from './signer.ts'
import { storeOf } from './store.ts'

/** Programs and settings everywhere; then what does not run yet is started, process by process; then restarts, one replica at a time. */
export function plan(component: Component<Config>, view: View<Config>, facts: Facts): Wave[] {
  const starts = new Map<string, Step>()
  const items = waveOver(view, 'runtime: programs and settings', name => {
    const node = view.nodes.find(n => n.name === name)!
    const all = itemSteps({
      node: name,
      component: component.name,
      items: component.items(view, facts, node),
      facts,
    })
    const { kind, home } = storeOf(view, facts)
    const held = kind === 'embedded' && home === node ? keepHere(name, facts) : []
    for (const step of all) if (isStart(step)) starts.set(keyOf(name, unitIn(step)), step)
    return [...held, ...all.filter(step => !isStart(step))]
  })
  if (items.some(wave => wave.stopped && wave.steps.length === 0)) return items
  return [
    ...items.filter(wave => wave.steps.length > 0 || wave.stopped),
    ...renewalWaves(component, view, facts),
    ...(starts.size > 0
      ? processesOf(view, storeOf(view, facts)).flatMap(one => startWaves(one, { starts, facts }))
      : []),
    ...signerWaves(view, starts),
  ]
}

interface Starts {
  starts: Map<string, Step>
  facts: Facts
}

/** Replicas that serve nobody yet start together; those that do are restarted one after the other. */
function startWaves(process: Process, { starts, facts }: Starts): Wave[] {
  const stepsOn = (node: string) =>
    [socketOf(process.name), unitOf(process.name)].flatMap(unit => starts.get(keyOf(node, unit)) ?? [])
  const own = process.nodes.map(({ name }) => name).filter(node => stepsOn(node).length > 0)
  const fresh = own.filter(node => !runs(node, process, facts))
  const serving = own.filter(node => !fresh.includes(node))
  const wave = (nodes: string[]): Wave => ({
    says: `runtime: ${process.name} on ${nodes.join(', ')}`,
    steps: nodes.flatMap(node => [...stepsOn(node), untilReady(node, process.name)]),
  })
  return [...(fresh.length > 0 ? [wave(fresh)] : []), ...serving.map(node => wave([node]))]
}

function runs(node: string, { name }: Process, facts: Facts): boolean {
  const answer = facts.peek(node, kept)
  return answer.known && answer.value.units.get(unitOf(name))?.active === 'active'
}

/** One after the other, so that certificates are renewed meanwhile; its unit says itself when it listens. */
const signerWaves = (view: View<Config>, starts: Map<string, Step>): Wave[] =>
  view.nodes.flatMap(({ name }) => {
    const step = starts.get(keyOf(name, SIGNER_UNIT))
    return step ? [{ says: `runtime: signer on ${name}`, steps: [step] }] : []
  })

/** Starts, restarts and what enables a unit of ours; nothing else of the items ends in the name of one. */
const isStart = ({ act }: Step) =>
  act.do === 'run' && /^llmagentos-[a-z-]+\.(service|socket)$/.test(act.argv.at(-1) ?? '')
const unitIn = ({ act }: Step) => (act.do === 'run' ? (act.argv.at(-1) ?? '') : '')
const keyOf = (node: string, unit: string) => `${node}\t${unit}`
