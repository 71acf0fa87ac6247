import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import { time } from '../../facts/time.ts'
import type { Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { inputLines } from '../../os/unit.ts'
import type { View } from '../component.ts'

const SERVICE = 'chrony.service'
const SOURCES = '/etc/chrony/sources.d/llmagentos.sources'
const DROP_IN = `/etc/systemd/system/${SERVICE}.d/llmagentos.conf`

/** chrony, where the machine has nothing that keeps its clock as well as the cluster wants it. */
export function timeItems(view: View<unknown>, facts: Facts, node: WantedNode): Item[] {
  if (!wantsChrony(view, facts, node)) return []
  const servers = view.cluster.site.time
  const text = servers.map(server => `server ${server} iburst\n`).join('')
  const inputs = sha256(text).slice(0, 16)
  const file = { kind: 'file', mode: 0o644, owner: 'root:root' } as const
  return [
    { kind: 'package', names: ['chrony'], held: false, says: 'keeps the clock' },
    ...(text ? [{ ...file, path: SOURCES, text, says: 'time servers of the site' }] : []),
    {
      ...file,
      path: DROP_IN,
      text: `[Service]\n${inputLines(inputs, { process: true })}`,
      says: 'what it was started from',
    },
    { kind: 'unit', name: SERVICE, says: 'keeps the clock', inputs },
  ]
}

function wantsChrony({ cluster, exactTime }: View<unknown>, facts: Facts, node: WantedNode): boolean {
  const now = facts.get(node.name, time)
  if (!now.canSet) return false
  const { entries } = facts.get(node.name, kept)
  if (entries.some(e => e.component === 'base' && (e.name === 'chrony' || e.name === SERVICE))) return true
  if (now.synchronised && (now.service === 'chrony' || !exactTime?.has(node.name))) return false
  // Another service is not replaced by one that has no better servers to ask.
  return exactTime?.has(node.name) === true || now.service === undefined || cluster.site.time.length > 0
}
