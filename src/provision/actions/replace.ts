import { EXIT, Failure } from '../../errors.ts'
import { diskNamed } from '../disks/disk.ts'
import { disks } from '../disks/fact.ts'
import { stateOf } from '../disks/guard.ts'
import type { Facts } from '../facts/fact.ts'
import type { Applied } from '../reconcile/apply.ts'
import { withSecrets } from '../secrets/given.ts'
import { byVerb, type VerbOptions } from './by-verb.ts'

export interface ReplaceOptions extends VerbOptions {
  node: string
  from: string
  to: string
  /** Go on though some data has fewer copies until the new disk has its own. */
  fewerCopies: boolean
}

/**
 * Gives up what is on one disk of a node, so that another one takes its place in the next `up`. Run again it goes on. Throws Failure: 2 for
 * disks that are not what they should be, 9 for one that is not blank.
 */
export const replaceDisk = (o: ReplaceOptions): Promise<Applied> =>
  byVerb(o, `node disk replace ${o.node} ${o.from} ${o.to}`, ({ parts, facts }) => {
    fits(o, facts)
    for (const { component, view } of parts) {
      const waves = component.replaceDisk?.(withSecrets(component, view, facts), facts, o)
      if (waves) return [{ component: component.name, waves }]
    }
    throw new Failure(`Nothing of this cluster lies on ${o.from} of ${o.node}.`, {
      exit: EXIT.usage,
      next: `See its disks: llmagentos node disk list ${o.node}`,
    })
  })

function fits({ node, to }: ReplaceOptions, facts: Facts): void {
  const disk = diskNamed(facts.get(node, disks), to)
  if (!disk)
    throw new Failure(`There is no disk ${to} on ${node}.`, {
      exit: EXIT.usage,
      next: `See them: llmagentos node disk list ${node}`,
    })
  const state = stateOf(disk)
  if (state.state === 'blank') return
  throw new Failure(`${to} of ${node} is not blank, and nothing was changed.`, {
    exit: EXIT.unsafe,
    why: state.state === 'unknown' ? state.why : `it ${state.why.join(', ')}`,
    next: `If all on it may be lost: llmagentos node disk wipe ${node} ${to}`,
  })
}
