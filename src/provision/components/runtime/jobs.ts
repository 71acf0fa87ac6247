import type { WantedNode } from '../../cluster/cluster.ts'
import type { Fact, Facts } from '../../facts/fact.ts'
import type { Finding, View } from '../component.ts'
import { gatewaysOf } from './layout.ts'
import { TLS_JOB } from './places.ts'
import type { Config } from './schema.ts'
import { TEND_JOB } from './tend.ts'

/** By the name of the unit: how systemd says that its last run went. */
export const jobs: Fact<Map<string, string>> = {
  id: 'jobs',
  deadlineMs: 5_000,
  script: `systemctl show --property=Id,ActiveState -- ${TEND_JOB} ${TLS_JOB}`,
  parse(stdout) {
    const found = [...stdout.matchAll(/^Id=(\S+)\nActiveState=(\S+)$/gm)].map(
      ([, id, state]) => [id!, state!] as const,
    )
    if (found.length !== 2) throw new Error(`systemd told of ${found.length} of 2 units`)
    return new Map(found)
  },
}

/** What runs now and then on a node and failed the last time; it is tried again by itself, so nothing is broken yet. */
export function jobsOf(view: View<Config>, facts: Facts, { name: node }: WantedNode): Finding[] {
  const states = facts.get(node, jobs)
  const failed = (unit: string) => states.get(unit) === 'failed'
  const look = (unit: string) => `Look: llmagentos node logs ${node} ${unit}`
  const handed = view.cluster.gateway.tls && gatewaysOf(view).some(one => one.name === node)
  return [
    ...(failed(TEND_JOB)
      ? [warning(node, 'Certificates could not be renewed at the last try.', look(TEND_JOB))]
      : []),
    ...(handed && failed(TLS_JOB)
      ? [
          warning(
            node,
            'The files of gateway.tls cannot be used; the gateway goes on with those before.',
            look(TLS_JOB),
          ),
        ]
      : []),
  ]
}

const warning = (node: string, says: string, fix: string): Finding => ({ level: 'warn', node, says, fix })
