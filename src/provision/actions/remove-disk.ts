import type { Applied } from '../reconcile/apply.ts'
import { withSecrets } from '../secrets/given.ts'
import { byVerb, type VerbOptions } from './by-verb.ts'

/**
 * Gives a disk of a node up for good, once all that is on it is elsewhere; the disk itself stays as it is. Run again it goes on. Does
 * nothing where nobody keeps anything on it.
 */
export const removeDisk = (o: VerbOptions & { node: string; disk: string }): Promise<Applied> =>
  byVerb(o, `node disk remove ${o.node} ${o.disk}`, ({ parts, facts }) =>
    parts.flatMap(({ component, view }) => {
      if (!component.removeDisk || !view.nodes.some(({ name }) => name === o.node)) return []
      const waves = component.removeDisk(withSecrets(component, view, facts), facts, o) ?? []
      return waves.length > 0 ? [{ component: component.name, waves }] : []
    }),
  )
