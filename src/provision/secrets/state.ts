import { EXIT, Failure } from '../../errors.ts'
import type { Secret } from '../../secret.ts'
import { NEXT, type StoredSecret } from './fact.ts'

/** One secret as the control nodes have it. */
export interface SecretState {
  /** The value in use; undefined where no node has one. */
  value?: Secret
  /** Nodes that have it. */
  holders: string[]
  lacking: string[]
  /** A rotation that began and has not ended. */
  rotation?: Rotation
}

export interface Rotation {
  next: Secret
  /** Nodes that have the next value beside the one in use. */
  ready: string[]
  /** Nodes that have only the one in use. */
  unready: string[]
  /** Some node uses the next value already: then all others have it, and there is no way back. */
  begun: boolean
}

/** What each control node stores, by node. */
export type Stored = Map<string, Map<string, StoredSecret>>

/** Throws Failure (9) for nodes that have different values, and for an empty one. */
export function stateOf(name: string, stored: Stored): SecretState {
  const now = valuesOf(name, stored)
  const next = valuesOf(name + NEXT, stored)
  const upcoming = [...next.values()][0]
  if ([...next.values()].some(value => !same(value, upcoming!))) throw different(name + NEXT, next)
  const current = [...now].find(([, value]) => upcoming && same(value, upcoming)) ?? [...now][0]
  const lacking = [...stored.keys()].filter(node => !now.has(node) && !next.has(node))
  const odd = [...now].filter(([, value]) => !same(value, current![1]))
  // Whoever has another value than the one in use must be about to take that one.
  if (odd.some(([node]) => !next.has(node) || !same(next.get(node)!, current![1]))) throw different(name, now)
  const state = { value: current?.[1] ?? upcoming, holders: [...now.keys()], lacking }
  if (!upcoming) return state
  const begun = current === undefined || same(current[1], upcoming)
  const ready = [...next.keys()]
  const unready = begun ? [] : [...stored.keys()].filter(node => !next.has(node))
  return { ...state, rotation: { next: upcoming, ready, unready, begun } }
}

function valuesOf(name: string, stored: Stored): Map<string, Secret> {
  const found = [...stored].flatMap(([node, all]) => {
    const value = all.get(name)?.value
    return value ? [[node, value] as const] : []
  })
  const empty = found.find(([, value]) => value.reveal() === '')
  if (!empty) return new Map(found)
  throw new Failure(`The secret ${name} is empty on ${empty[0]}.`, {
    exit: EXIT.unsafe,
    why: 'we never write an empty one',
    next: `Where another control node has it, remove it on ${empty[0]}; it is copied there again.`,
  })
}

const same = (one: Secret, other: Secret) => one.reveal() === other.reveal()

function different(name: string, values: Map<string, Secret>): Failure {
  const groups = new Map<string, string[]>()
  for (const [node, value] of values)
    groups.set(value.reveal(), [...(groups.get(value.reveal()) ?? []), node])
  const sides = [...groups.values()].map(nodes => nodes.join(', '))
  return new Failure(`The secret ${name} is not the same on all control nodes.`, {
    exit: EXIT.unsafe,
    why: `one value on ${sides.join('; another on ')}`,
    next: `Find out which one the services use; move the other away (${SECRETS_HINT}), and run the same command again.`,
  })
}

const SECRETS_HINT = '/var/lib/llmagentos/secrets there'
