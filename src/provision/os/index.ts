import { releaseSteps } from '../artifacts/steps.ts'
import type { Component, View } from '../components/component.ts'
import { type Fact, type Facts, UnknownFact } from '../facts/fact.ts'
import { kept } from '../facts/kept.ts'
import { packages } from '../facts/packages.ts'
import { users } from '../facts/users.ts'
import type { Left, Step, Wave } from '../reconcile/step.ts'
import { certificates } from '../secrets/certificates/fact.ts'
import { certificateSteps, renewal } from '../secrets/certificates/steps.ts'
import { blockSteps, goneBlock } from './block.ts'
import { fileSteps, goneFile, reloadAfter } from './file.ts'
import type { Item } from './item.ts'
import { keptApart } from './manners.ts'
import { type Now, namesOf } from './now.ts'
import { goneOpening, openingSteps } from './opening.ts'
import { goneHolds, gonePackages, packageSteps } from './package.ts'
import { goneUnit, unitSteps } from './unit.ts'
import { goneUser, userSteps } from './user.ts'

export interface ItemsOf {
  node: string
  component: string
  items: Item[]
  facts: Facts
}

/** What every node is asked whatever stands on it; `itemSteps` and `goneSteps` read it. */
export const nodeFacts: Fact<unknown>[] = [kept, packages, users, certificates]

/**
 * Steps that make the items, or put back what drifted, in the items' order; none where all is as wanted. What stands behind a certificate
 * waits for a later round until there is one, but for users, who may own another; a control node signs it. Throws UnknownFact.
 */
export function itemSteps(o: ItemsOf): Step[] {
  const now = nowOf(o)
  const steps: Step[] = []
  let waits = false
  for (const item of withManners(o)) {
    if (item.kind === 'certificate') {
      const { steps: own, pending } = certificateSteps(item, { now, facts: o.facts })
      steps.push(...own)
      waits ||= pending
    } else if (waits && item.kind !== 'user') continue
    else if (item.kind === 'release') steps.push(...releaseSteps(item, { now, facts: o.facts }))
    else steps.push(...stepsOf(item, { ...now, before: [...steps] }))
  }
  return steps
}

/**
 * Steps that take away what the node's manifest keeps for the component and `items` no longer name; with `purge` also what packages leave
 * behind. Throws UnknownFact.
 */
export function goneSteps(o: ItemsOf & { purge?: boolean }): Step[] {
  const now = nowOf(o)
  const named = new Set(withManners(o).flatMap(namesOf))
  const gone = now.kept.entries.filter(e => e.component === o.component && !named.has(`${e.kind}\t${e.name}`))
  const of = (kind: Left['kind']) => gone.filter(e => e.kind === kind).reverse()
  const files = of('file').map(left => goneFile(left, now))
  return [
    ...of('unit').map(left => goneUnit(left, now)),
    ...of('opening').map(left => goneOpening(left, now)),
    ...of('block').map(left => goneBlock(left, now)),
    ...files,
    ...reloadAfter(files, now),
    ...goneHolds(of('hold'), now),
    ...gonePackages(of('package'), now, o),
    ...of('user').map(left => goneUser(left, now)),
  ]
}

/** The components of which the node's manifest keeps something; none where it is unknown. */
export function keptBy(node: string, facts: Facts): string[] {
  const answer = facts.peek(node, kept)
  return answer.known ? [...new Set(answer.value.entries.map(e => e.component))] : []
}

/**
 * One wave that makes the component's items on its nodes, then one for each node with a certificate to renew; none where nothing is to do
 * and every node told what it was asked.
 */
export function itemWaves<C>(component: Component<C>, view: View<C>, facts: Facts): Wave[] {
  const itemsOf = (node: string) => component.items(view, facts, view.nodes.find(n => n.name === node)!)
  const of = (node: string) => ({ node, component: component.name, items: itemsOf(node), facts })
  return [
    ...waveOver(view, `${component.name}: what it keeps`, node => itemSteps(of(node))),
    ...renewalWaves(component, view, facts),
  ]
}

/** Those who use a certificate are told node by node, so that the other replicas serve meanwhile. */
export function renewalWaves<C>(component: Component<C>, view: View<C>, facts: Facts): Wave[] {
  return view.nodes.flatMap(node => {
    const known = nodeFacts.every(fact => facts.peek(node.name, fact).known)
    const items = known ? component.items(view, facts, node) : []
    const now = items.length > 0 && nowOf({ node: node.name, component: component.name, items, facts })
    const steps = items.flatMap(item =>
      item.kind === 'certificate' && now ? (renewal(item, { now, facts }) ?? []) : [],
    )
    return steps.length > 0 ? [{ says: `${component.name}: renew certificates on ${node.name}`, steps }] : []
  })
}

/** One wave from each node's own steps; a node with an unknown fact is stopped there, and the others go on. */
export function waveOver(
  view: Pick<View<unknown>, 'nodes'>,
  says: string,
  steps: (node: string) => Step[],
): Wave[] {
  const wave = { says, steps: [] as Step[], stopped: [] as { node: string; why: string }[] }
  for (const { name: node } of view.nodes) {
    try {
      wave.steps.push(...steps(node))
    } catch (thrown) {
      if (!(thrown instanceof UnknownFact)) throw thrown
      wave.stopped.push({ node, why: `${thrown.message} ${thrown.why ?? ''}`.trim() })
    }
  }
  const { stopped, ...rest } = wave
  return wave.steps.length + stopped.length === 0 ? [] : [stopped.length ? wave : rest]
}

const withManners = ({ component, items }: ItemsOf) => [...keptApart(component, items), ...items]

function nowOf({ node, component, facts }: ItemsOf): Now {
  const get = <T>(fact: Fact<T>) => facts.get(node, fact)
  return { node, component, kept: get(kept), packages: get(packages), users: get(users), before: [] }
}

function stepsOf(item: Exclude<Item, { kind: 'certificate' | 'release' }>, now: Now): Step[] {
  switch (item.kind) {
    case 'file':
      return fileSteps(item, now)
    case 'block':
      return blockSteps(item, now)
    case 'package':
      return packageSteps(item, now)
    case 'unit':
      return unitSteps(item, now)
    case 'user':
      return userSteps(item, now)
    case 'opening':
      return openingSteps(item, now)
  }
}
