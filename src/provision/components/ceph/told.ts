import { quote } from '../../connections/quote.ts'
import type { Fact, Facts } from '../../facts/fact.ts'
import { fill } from '../../os/template.ts'
import type { View } from '../component.ts'
import type { FsDump } from './file/told.ts'
import { isMon, monStore } from './names.ts'

/** What the mons say, asked through the mon of one node. */
export type Answered =
  /** `refused`: they do not know our key. */
  { state: 'none' } | { state: 'no quorum' | 'refused'; local: LocalMon | null } | Told

export interface Told {
  state: 'up'
  local: LocalMon | null
  status: {
    fsid: string
    quorum_names: string[]
    mgrmap: { available: boolean; num_standbys: number }
    pgmap: { num_pgs: number; pgs_by_state?: { state_name: string; count: number }[] }
  }
  health: { status: string; checks: Record<string, HealthCheck> }
  mons: { fsid: string; epoch: number; mons: { name: string }[] }
  osds: OsdDump
  tree: { nodes: CrushNode[] }
  files: FsDump
  /** By kind of daemon, then by the full words of its version: how many. */
  versions: Record<string, Record<string, number>>
  df: { stats: Record<string, number>; pools: { name: string; stats: Record<string, number> }[] }
  config: { section: string; name: string; value: string }[]
  /** What we remember in the cluster itself, below `llmagentos/`. */
  kept: Record<string, string>
  /** By entity; `key` is the SHA-256 of it. */
  auth: Record<string, { key: string; caps: Record<string, string> }>
}

export interface LocalMon {
  state: string
  quorum: number[]
  /** Epoch 0: it has never been in a quorum. */
  monmap: { epoch: number; fsid: string; mons: { name: string }[] }
}

export interface HealthCheck {
  severity: 'HEALTH_WARN' | 'HEALTH_ERR'
  summary: { message: string }
  detail?: { message: string }[]
  muted?: boolean
}

export interface OsdDump {
  osds: DumpedOsd[]
  pools: {
    pool: number
    pool_name: string
    size: number
    min_size: number
    pg_num: number
    pg_num_target?: number
    pg_autoscale_mode?: string
    crush_rule: number
    application_metadata?: Record<string, unknown>
  }[]
  full_ratio: number
  nearfull_ratio: number
  flags: string
}

export interface DumpedOsd {
  osd: number
  uuid: string
  up: number
  in: number
  public_addrs?: Addresses
  cluster_addrs?: Addresses
  heartbeat_back_addrs?: Addresses
  heartbeat_front_addrs?: Addresses
}

/** `addr` is `10.0.0.11:6802`. */
interface Addresses {
  addrvec: { type: string; addr: string }[]
}

export interface CrushNode {
  id: number
  name: string
  type: string
  status?: string
  device_class?: string
  children?: number[]
}

// The program gives up on its own after a time that is far below this one.
const DEADLINE_MS = 40_000

/** One connection and no call of `ceph`, which takes a quarter of a second each. */
export const told = (node: string): Fact<Answered> => ({
  id: `what the monitors say to ${node}`,
  deadlineMs: DEADLINE_MS,
  script: `[ -e ${monStore(node)}/store.db ] && [ -e /etc/ceph/ceph.conf ] || { echo '{"state":"none"}'; exit 0; }
exec ${quote(['timeout', '30', 'python3', '-c', fill('ceph/told.py', {}), node])} 2>/dev/null`,
  parse(stdout) {
    const answer = JSON.parse(stdout) as Answered
    if (!['none', 'no quorum', 'refused', 'up'].includes(answer.state))
      throw new Error('it is no answer of a monitor')
    return answer
  },
})

/** The first control node whose mon speaks for the cluster. */
export function anyTold(
  view: Pick<View<unknown>, 'nodes'>,
  facts: Facts,
): { node: string; told: Told } | undefined {
  for (const { name } of view.nodes.filter(isMon)) {
    const answer = facts.peek(name, told(name))
    if (answer.known && answer.value.state === 'up') return { node: name, told: answer.value }
  }
  return undefined
}
