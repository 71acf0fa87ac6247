import type { Cluster, WantedNode } from '../../provision/index.ts'
import type { Command } from '../command.ts'
import { chooseNodes } from '../machines/choose.ts'
import { type MachineFlags, machineFlags } from '../machines/flags.ts'
import { withMachines } from '../machines/machines.ts'
import { exitOf } from './outcomes.ts'
import { type Vitals, vitalsOf } from './vitals.ts'

interface Row extends Partial<Vitals> {
  name: string
  address: string
  roles: string[]
  labels: Record<string, string>
  state: string
  /** undefined: it was not asked. */
  reachable?: boolean
  why?: string
  next?: string
}

export const list: Command<MachineFlags> = {
  name: 'list',
  summary: 'list the nodes, and say of each whether it answers',
  options: machineFlags,
  example: 'llmagentos node list -f cluster.yaml',
  more: [
    'All nodes are asked at once. Those of state offline are shown and not asked, unless --on means them.',
    'Exit codes: 0 all that were asked answer, 4 one does not.',
  ].join('\n'),
  async run({ flags, json, io }) {
    const { rows, exit } = await withMachines(
      { flags, io, goOnWithoutUnknown: true },
      async ({ cluster, each }) => {
        const outcomes = await each(on => vitalsOf(on, io.signal))
        const asked = new Map(
          outcomes.map(outcome => [
            outcome.node.name,
            outcome.failure
              ? { reachable: false, why: outcome.failure.message, next: outcome.failure.next }
              : { reachable: true, ...outcome.value },
          ]),
        )
        const rows = shown(cluster, flags.on).map(node => ({ ...rowOf(node), ...asked.get(node.name) }))
        return { rows, exit: exitOf(outcomes) }
      },
    )
    if (json) io.print(JSON.stringify({ nodes: rows }))
    else await show(rows, line => io.print(line))
    return exit
  },
}

/** Without `--on` also those that are not asked. */
const shown = (cluster: Cluster, on: string[] | undefined) =>
  on === undefined ? cluster.nodes : chooseNodes(cluster, on)

const rowOf = ({ name, address, roles, labels, state }: WantedNode): Row => ({
  name,
  address,
  roles,
  labels,
  state,
})

async function show(rows: Row[], print: (line: string) => void): Promise<void> {
  const { table } = await import('../views/table.ts')
  print(
    table(
      ['NAME', 'ADDRESS', 'ROLES', 'STATE', 'ANSWERS', 'OS', 'UP', 'WHY NOT'],
      rows.map(row => [
        row.name,
        row.address,
        row.roles.join(','),
        row.state,
        row.reachable === undefined ? '-' : row.reachable ? 'yes' : 'no',
        row.os ?? '-',
        row.upSeconds === undefined ? '-' : span(row.upSeconds),
        row.why ?? '',
      ]),
    ),
  )
}

function span(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`
}
