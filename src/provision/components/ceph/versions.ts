import type { Fact, Facts } from '../../facts/fact.ts'
import { linesOf } from '../../facts/fields.ts'
import type { Finding, View } from '../component.ts'
import type { Config } from './schema.ts'
import { versionOf } from './sources.ts'
import type { Told } from './told.ts'

/** Units of Ceph that run a program which was replaced since: dpkg never restarts a daemon of Ceph. */
export const outdated: Fact<string[]> = {
  id: 'daemons of Ceph that wait for a restart',
  deadlineMs: 5_000,
  script: `systemctl show -p Id -p MainPID 'ceph-*@*.service' | awk -F= '/^MainPID=/ { pid = $2 } /^Id=/ { id = $2 } /^$/ { print pid, id } END { print pid, id }' | sort -u |
while read -r pid id; do
  case $(readlink "/proc/$pid/exe" 2>/dev/null) in *' (deleted)') echo "\${id%.service}" ;; esac
done
:`,
  parse: stdout => linesOf(stdout),
}

const ORDER =
  'Restart them node by node, monitors first, then managers, then OSDs, and wait for the health in between.'

/** Usual while an upgrade goes on, and a mistake where none does. */
export function versionFindings(view: View<Config>, facts: Facts, told: Told): Finding[] {
  return [...mixed(told), ...view.nodes.flatMap(node => waiting(view, facts, node))]
}

/** `Daemons of several versions run: 18.2.7 (1 mon, 3 osd), 20.2.5 (2 mon).` */
function mixed({ versions }: Told): Finding[] {
  const all = Object.keys(versions['overall'] ?? {})
  if (all.length < 2) return []
  const list = all.map(version => {
    const kinds = Object.entries(versions).flatMap(([kind, counts]) =>
      kind !== 'overall' && counts[version] ? [`${counts[version]} ${kind}`] : [],
    )
    return `${short(version)}${kinds.length > 0 ? ` (${kinds.join(', ')})` : ''}`
  })
  return [
    { level: 'warn', says: `Daemons of several versions run: ${list.toSorted().join(', ')}.`, fix: ORDER },
  ]
}

function waiting(view: View<Config>, facts: Facts, node: View<Config>['nodes'][number]): Finding[] {
  const answer = facts.peek(node.name, outdated)
  if (!answer.known)
    return [
      {
        level: 'unknown',
        node: node.name,
        says: `It did not tell whether a daemon of Ceph waits for a restart: ${answer.why}.`,
      },
    ]
  if (answer.value.length === 0) return []
  const version = versionOf(view, node, facts)
  return [
    {
      level: 'warn',
      node: node.name,
      says: `Ceph ${version ?? ''} is installed, and ${answer.value.join(', ')} still ${answer.value.length > 1 ? 'run' : 'runs'} what was there before.`,
      fix: ORDER,
    },
  ]
}

/** `ceph version 18.2.7 (6b0e98...) reef (stable)` */
export const short = (version: string) => version.split(' ')[2] ?? version
