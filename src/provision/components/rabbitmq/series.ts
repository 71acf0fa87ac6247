import type { WantedNode } from '../../cluster/cluster.ts'
import type { Fact, Facts } from '../../facts/fact.ts'
import { os } from '../../facts/os.ts'
import { packages } from '../../facts/packages.ts'
import { APT_ENV } from '../../os/apt.ts'
import { PACKAGE } from './names.ts'

/** Where the node's apt has no index yet. */
const OF_DEBIAN: Record<string, string> = { bookworm: '3.10.8', trixie: '4.0.5' }

/** The version that would be installed; empty where apt knows none, and where one is installed already. */
export const candidate: Fact<string> = {
  id: 'version of RabbitMQ at hand',
  deadlineMs: 15_000,
  script: `[ ! -e /usr/lib/rabbitmq ] || exit 0
[ ! -e ${APT_ENV} ] || . ${APT_ENV}
apt-cache policy ${PACKAGE} 2>/dev/null | sed -n 's/^  Candidate: \\([0-9].*\\)/\\1/p'`,
  parse: stdout => stdout.trim(),
}

/** Installed, or what would be; undefined where the node does not tell. */
export function versionOf({ name }: WantedNode, facts: Facts): string | undefined {
  const have = facts.peek(name, packages)
  const found = have.known ? have.value.all.get(PACKAGE) : undefined
  if (found?.installed) return upstream(found.version)
  const atHand = facts.peek(name, candidate)
  if (atHand.known && atHand.value) return upstream(atHand.value)
  const system = facts.peek(name, os)
  return system.known ? OF_DEBIAN[system.value.codename] : undefined
}

/** Brokers of one series make a cluster. `4.0.5` is of 4.0. */
export const seriesOf = (version: string): string => version.split('.').slice(0, 2).join('.')

export const since4 = (series: string) => Number.parseInt(series, 10) >= 4

const upstream = (version: string) => version.replace(/^\d+:/, '').replace(/[-+~].*$/, '')
