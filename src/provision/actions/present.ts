import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { WantedNode } from '../cluster/cluster.ts'
import { Refused } from '../connections/carrier.ts'

/** A node that takes no part in this run because it does not answer. */
export interface Skipped {
  node: string
  why: string
}

/**
 * Who takes part: all that answered. A node that refuses us, or whose identity is refused, stops the run, and so does one with data or
 * a vote that does not answer; others are skipped. Throws Failure (4, or sudo's 3).
 */
export function present(
  nodes: WantedNode[],
  unreached: Map<string, unknown>,
): { nodes: WantedNode[]; skipped: Skipped[] } {
  for (const thrown of unreached.values()) if (!mayBeDown(thrown)) throw thrown
  const needed = nodes.filter(
    node => unreached.has(node.name) && node.roles.some(role => NEEDED.includes(role)),
  )
  if (needed.length > 0) throw notThere(needed, unreached)
  return {
    nodes: nodes.filter(node => !unreached.has(node.name)),
    skipped: [...unreached].map(([node, thrown]) => ({ node, why: says(thrown) })),
  }
}

const NEEDED = ['control', 'storage']

const mayBeDown = (thrown: unknown) =>
  thrown instanceof Failure && thrown.exit === EXIT.unreachable && !(thrown instanceof Refused)

function notThere(nodes: WantedNode[], unreached: Map<string, unknown>): Failure {
  const names = nodes.map(node => node.name).join(', ')
  const one = nodes.length === 1
  return new Failure(`${names} ${one ? 'does' : 'do'} not answer, and nothing was changed.`, {
    exit: EXIT.unreachable,
    why: nodes.map(node => says(unreached.get(node.name))).join('\n'),
    next: `Start ${one ? 'it' : 'them'}; or write state: offline for ${one ? 'it' : 'each'} in cluster.yaml, and the others go on without.`,
  })
}

const says = (thrown: unknown) =>
  thrown instanceof Failure ? `${thrown.message} ${thrown.why ?? ''}`.trim() : reasonOf(thrown)
