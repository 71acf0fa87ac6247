import { EXIT, Failure } from '../../errors.ts'
import { kept } from '../facts/kept.ts'
import { goneSteps } from '../os/index.ts'
import type { Applied } from '../reconcile/apply.ts'
import { missingSecrets, withSecrets } from '../secrets/given.ts'
import { byVerb, type VerbOptions } from './by-verb.ts'
import type { Seen } from './look.ts'

/**
 * Takes off a node what has a vote there because it was a control node, where the file says that it is none any more. What has no vote
 * leaves by the next `up`. Run again it goes on. Throws Failure: 2 for a node that the file still gives the role, 9 where something holds
 * data there and cannot leave.
 */
export function demote(o: VerbOptions & { node: string }): Promise<Applied> {
  const wanted = o.cluster.nodes.find(node => node.name === o.node)
  if (wanted?.roles.includes('control'))
    throw new Failure(`${o.node} is a control node in cluster.yaml.`, {
      exit: EXIT.usage,
      next: `Take the role control from it there (1, 3 or 5 nodes have it), then run it again.`,
    })
  return byVerb(o, `node demote ${o.node}`, found => {
    refuseWhatStays(o.node, found)
    return found.parts.toReversed().flatMap(({ component, view }) => {
      if (!component.leave || missingSecrets(component, view, found.facts).length > 0) return []
      const waves = component.leave(withSecrets(component, view, found.facts), found.facts, o.node)
      return waves.length > 0 ? [{ component: component.name, waves }] : []
    })
  })
}

/** Of several that leave, none goes while another one could not. */
function refuseWhatStays(node: string, { parts, facts }: Seen): void {
  const manifest = facts.peek(node, kept)
  if (!manifest.known) return
  for (const { component, view } of parts) {
    const held = manifest.value.entries.filter(e => e.component === component.name && e.kind === 'held')
    const stays = component.leave || held.length === 0 || view.nodes.some(({ name }) => name === node)
    if (stays || goneSteps({ node, component: component.name, items: [], facts }).length === 0) continue
    throw new Failure(`${component.name} cannot leave ${node} in this version, and nothing was changed.`, {
      exit: EXIT.unsafe,
      why: `it holds data or a vote there: ${held.map(({ name }) => name).join(', ')}`,
      next: `Give ${node} the role control again; or place ${component.name} in cluster.yaml so that it stays there.`,
    })
  }
}
