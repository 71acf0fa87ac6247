import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import type { Site } from '../check/concern.ts'
import { checkAll, checkFacts, type Judged, repairsOf, standsAgainst } from '../check/index.ts'
import { memoryWanted } from '../check/memory.ts'
import { spaceFact } from '../check/space.ts'
import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import type { Component } from '../components/component.ts'
import { registry } from '../components/index.ts'
import type { Connection } from '../connections/connection.ts'
import type { Facts } from '../facts/fact.ts'
import { gather } from '../facts/gather.ts'
import { memory } from '../facts/memory.ts'
import { os } from '../facts/os.ts'
import type { Step } from '../reconcile/step.ts'
import { partsOf } from '../reconcile/view.ts'

/** What `cluster check` found; plain data. */
export interface CheckReport {
  cluster: string
  nodes: CheckedNode[]
  findings: Judged[]
  /** What `fix` would do. */
  repairs: Step[]
}

/** What a node told is missing where it did not tell it. */
export interface CheckedNode {
  name: string
  address: string
  roles: string[]
  reached: boolean
  system?: string
  cpus?: number
  memory?: { totalBytes: number; wantedBytes: number; reservedBytes: number }
  /** The file system of /. */
  root?: { sizeBytes: number; freeBytes: number }
}

export interface CheckOptions {
  cluster: Cluster
  nodes: WantedNode[]
  /** Throws Failure for a node whose way or identity is refused. */
  connect(node: WantedNode): Promise<Connection>
  signal?: AbortSignal
  /** Those that may stand in the file; all that there are, unless told. */
  components?: Component[]
}

/** Asks all nodes at once, each everything in one script, and judges what they said. Changes nothing. Throws Failure (130) alone. */
export async function check(o: CheckOptions): Promise<CheckReport> {
  const { cluster } = o
  const parts = partsOf(cluster, { components: o.components ?? registry, nodes: o.nodes })
  const site: Site = { cluster, parts, asked: o.nodes, nodes: o.nodes }
  const { connections, unreached } = await connectAll(o)
  const asked = o.nodes.flatMap(node => {
    const connection = connections.get(node.name)
    return connection ? [{ connection, facts: checkFacts(site, node) }] : []
  })
  const gathered = await gather(asked, o)
  for (const [node, thrown] of gathered.unreached) unreached.set(node, failureOf(thrown))
  const reached = o.nodes.filter(node => !unreached.has(node.name))
  const found = checkAll({ ...site, nodes: reached }, gathered.facts)
  const repairs = repairsOf({ ...site, nodes: reached }, gathered.facts)
  return {
    cluster: cluster.name,
    nodes: o.nodes.map(node => ({
      name: node.name,
      address: node.address,
      roles: node.roles,
      reached: unreached.get(node.name)?.exit !== EXIT.unreachable,
      ...(unreached.has(node.name) ? {} : figures(site, { node, facts: gathered.facts })),
    })),
    findings: [...o.nodes.map(node => judgeWay(node, unreached.get(node.name))), ...found],
    repairs,
  }
}

/** 4 when a node was not reached or not who it should be, 3 when something is bad or unknown, else 0. */
export function checkExit({ nodes, findings }: CheckReport): ExitCode {
  if (nodes.some(node => !node.reached)) return EXIT.unreachable
  return findings.some(standsAgainst) ? EXIT.preflight : EXIT.ok
}

async function connectAll(o: CheckOptions) {
  const connections = new Map<string, Connection>()
  const unreached = new Map<string, Failure>()
  await Promise.all(
    o.nodes.map(async node => {
      try {
        connections.set(node.name, await o.connect(node))
      } catch (thrown) {
        unreached.set(node.name, failureOf(thrown))
      }
    }),
  )
  return { connections, unreached }
}

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failure && thrown.exit !== EXIT.interrupted) return thrown
  throw thrown
}

function judgeWay(node: WantedNode, failure: Failure | undefined): Judged {
  const about = { check: 'connection', node: node.name }
  if (!failure) return { ...about, level: 'ok', says: 'It answers, and lets us become root.' }
  const why = failure.why && !failure.message.includes(failure.why) ? ` ${failure.why}` : ''
  return {
    ...about,
    // A deadline, or a cut in the middle: it may well be fine.
    level: failure.exit === EXIT.deadline ? 'unknown' : 'bad',
    says: `${failure.message}${why}`,
    ...(failure.next && { fix: failure.next }),
  }
}

function figures(site: Site, o: { node: WantedNode; facts: Facts }): Partial<CheckedNode> {
  const { node, facts } = o
  const system = facts.peek(node.name, os)
  const mem = facts.peek(node.name, memory)
  const disk = facts.peek(node.name, spaceFact(site, node))
  const root = disk.known ? disk.value.find(({ path }) => path === '/') : undefined
  return {
    ...(system.known && { system: `${system.value.says}, ${system.value.architecture}` }),
    ...(mem.known && {
      cpus: mem.value.cpus,
      memory: {
        totalBytes: mem.value.totalBytes,
        wantedBytes: memoryWanted(site, node, facts),
        reservedBytes: node.memory.reserveBytes,
      },
    }),
    ...(root && { root: { sizeBytes: root.sizeBytes, freeBytes: root.freeBytes } }),
  }
}
