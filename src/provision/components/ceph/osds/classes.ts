import type { Facts } from '../../../facts/fact.ts'
import { type Step, step } from '../../../reconcile/step.ts'
import type { View } from '../../component.ts'
import type { Config } from '../schema.ts'
import type { Told } from '../told.ts'
import { made } from './made.ts'

const QUICK_MS = 120_000

/** The kinds of disk that the file names, for OSDs that the mons know with another one; without a name, what Ceph found out stays. */
export function classSteps(
  view: View<Config>,
  o: { facts: Facts; up: { node: string; told: Told } },
): Step[] {
  return view.nodes.flatMap(node => {
    const answer = o.facts.peek(node.name, made)
    if (!answer.known) return []
    return node.disks.flatMap(({ id: disk, class: kind }) => {
      const own = answer.value.osds.find(one => one.disk === disk && one.whole)
      const now = o.up.told.tree.nodes.find(one => one.type === 'osd' && one.id === own?.id)
      // It has none before its first start.
      if (!kind || !now?.device_class || now.device_class === kind) return []
      return [
        step({
          node: o.up.node,
          says: `let osd.${own!.id} count as ${kind}, which was ${now.device_class}`,
          risk: 'change',
          deadlineMs: QUICK_MS,
          act: { do: 'run', argv: ['sh', '-c', SET, 'sh', kind, `osd.${own!.id}`] },
        }),
      ]
    })
  })
}

const SET = `set -eu
ceph --connect-timeout 30 osd crush rm-device-class "$2" >&2
exec ceph --connect-timeout 30 osd crush set-device-class "$1" "$2" >&2`
