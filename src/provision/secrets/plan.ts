import { EXIT, Failure } from '../../errors.ts'
import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import type { Facts } from '../facts/fact.ts'
import { kept } from '../facts/kept.ts'
import type { Step } from '../reconcile/step.ts'
import { NEXT, secretsFact } from './fact.ts'
import { type SecretState, type Stored, stateOf } from './state.ts'
import { copy, held, make, mend, note, switchTo } from './steps.ts'
import type { SecretWish } from './wish.ts'

export interface Planned {
  cluster: Cluster
  /** Those of this run. */
  nodes: WantedNode[]
  wishes: SecretWish[]
  facts: Facts
}

/**
 * Steps that make what no control node has, copy what some lack, and end rotations. Throws Failure: 4 where a control node that does not
 * take part might have what would be made, 9 for values that differ and for one that was lost. UnknownFact.
 */
export function secretSteps(o: Planned): Step[] {
  const stored = storedOf(o)
  const makers = new Map<string, string>()
  return o.wishes.flatMap(wish => {
    const state = stateOf(wish.name, stored)
    if (state.value !== undefined) return [...spread(wish.name, state, { ...o, stored })]
    mayBeMade(wish, o)
    const maker = makerOf(wish, { stored, makers })
    if (maker === undefined) return []
    makers.set(wish.name, maker)
    return [make(maker, wish)]
  })
}

export function storedOf({ nodes, facts }: Pick<Planned, 'nodes' | 'facts'>): Stored {
  const control = nodes.filter(node => node.roles.includes('control'))
  return new Map(control.map(({ name }) => [name, facts.get(name, secretsFact)]))
}

/** Where what it is made from is, or is made before it; else the first one. */
function makerOf(wish: SecretWish, o: { stored: Stored; makers: Map<string, string> }): string | undefined {
  return [...o.stored].find(([node, all]) =>
    wish.from.every(name => all.has(name) || o.makers.get(name) === node),
  )?.[0]
}

function spread(name: string, state: SecretState, o: Planned & { stored: Stored }): Step[] {
  const { rotation, value, holders, lacking } = state
  const from = holders[0] ?? rotation!.ready[0]!
  return [
    ...lacking.map(node => copy(node, name, { value: value!, from })),
    ...holders.flatMap(node => {
      const { mode, owner } = o.stored.get(node)!.get(name)!
      const noted = o.facts.get(node, kept).entries.some(e => e.kind === 'held' && e.name === held(name).name)
      return [
        ...(noted ? [] : [note(node, name)]),
        ...(mode === 0o600 && owner === 'root:root' ? [] : [mend(node, name)]),
      ]
    }),
    ...(rotation ? rotate(name, rotation, o) : []),
  ]
}

/** Nobody uses the next value before all control nodes have it; one that does not take part is waited for, by this run and others. */
function rotate(name: string, rotation: NonNullable<SecretState['rotation']>, o: Planned): Step[] {
  const { next, ready, unready, begun } = rotation
  if (unready.length > 0)
    return unready.map(node => copy(node, name + NEXT, { value: next, from: ready[0]! }))
  return begun || absent(o).length === 0 ? ready.map(node => switchTo(node, name)) : []
}

/** Control nodes that do not take part in this run. */
export const absent = ({ cluster, nodes }: Pick<Planned, 'cluster' | 'nodes'>): string[] =>
  cluster.nodes.filter(node => node.roles.includes('control') && !nodes.includes(node)).map(node => node.name)

function mayBeMade({ name }: SecretWish, o: Planned): void {
  const missing = absent(o)
  if (missing.length > 0)
    throw new Failure(`The secret ${name} is not there, and cannot be made without ${missing.join(', ')}.`, {
      exit: EXIT.unreachable,
      why: 'a control node that takes no part in this run may have it; nothing was changed',
      next: `Bring back ${missing.join(', ')}, without \`state: offline\` and \`--on\`.`,
    })
  const had = o.nodes.filter(node =>
    o.facts.get(node.name, kept).entries.some(e => e.kind === 'held' && e.name === held(name).name),
  )
  if (had.length === 0) return
  throw new Failure(`The secret ${name} was lost: no control node has it any more.`, {
    exit: EXIT.unsafe,
    why: `${had.map(node => node.name).join(', ')} had it; a new one would be another cluster's`,
    next: `Bring it back: llmagentos cluster secrets restore FILE, with the recovery file; or put a backup to ${held(name).name} on a control node.`,
  })
}
