import type { Facts } from '../facts/fact.ts'
import type { Card, Gpus, Told } from './card.ts'
import { gpus } from './fact.ts'
import { nvidiaSmi, type Smi } from './nvidia-smi.ts'

/** A card with all that is known of it. */
export type Seen = Card & Partial<Omit<Told, 'at' | 'memoryBytes'>>

export interface SeenGpus extends Gpus {
  cards: Seen[]
  /** What nvidia-smi said when it failed, or why it did not answer. */
  smiFailed?: string
}

/** What the bus and the vendor's program say of a node's cards. Undefined where the bus itself was not told, with the reason. */
export function seenGpus(node: string, facts: Facts): { seen: SeenGpus } | { why: string } {
  const bus = facts.peek(node, gpus)
  if (!bus.known) return { why: bus.why }
  const smi = facts.peek(node, nvidiaSmi)
  const told = smi.known ? smi.value : { failed: smi.why }
  const cards = bus.value.cards.map(card => joined(card, told))
  const failed = typeof told === 'object' && 'failed' in told ? told.failed : undefined
  return { seen: { ...bus.value, cards, ...(failed && { smiFailed: failed }) } }
}

function joined(card: Card, told: Smi): Seen {
  if (typeof told !== 'object' || !('cards' in told)) return card
  const same = told.cards.find(({ at }) => at === card.at)
  return same ? { ...card, ...same } : card
}
