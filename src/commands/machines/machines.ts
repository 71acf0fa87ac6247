import { join } from 'node:path'
import { Failure } from '../../errors.ts'
import type { Choice, Cluster, Connection, Connections, Target, WantedNode } from '../../provision/index.ts'
import type { Io } from '../command.ts'
import { secretsFrom } from './ask.ts'
import { chooseNodes } from './choose.ts'
import { enrolNew, unknownKeys } from './enrol.ts'
import { readCluster } from './file.ts'
import type { MachineFlags } from './flags.ts'
import { stateFolder, targetOf } from './target.ts'
import { sayWays, sayWeak } from './ways.ts'

/** The nodes that a command works on, each with one connection that opens at its first use. */
export interface Machines {
  cluster: Cluster
  /** The cluster.yaml. */
  file: string
  /** Those that were chosen, in the order of the file. */
  nodes: WantedNode[]
  connections: Connections
  target(node: WantedNode): Target
  /** Throws the Failure that is known of this node already: it was not reached, or its options cannot be honoured. */
  on(node: WantedNode): Promise<Connection>
  /** Works on all chosen nodes at once; what one of them fails with is its outcome, and stops no other. */
  each<T>(work: (on: Connection, node: WantedNode) => Promise<T>): Promise<Outcome<T>[]>
}

export type Outcome<T> = { node: WantedNode } & ({ value: T; failure?: undefined } | { failure: Failure })

export interface Wanted {
  flags: MachineFlags
  io: Io
  /** In place of what `--on` says. */
  choose?(cluster: Cluster): WantedNode[]
  /** A node whose host key is unknown is then a failure of that node; else it ends the command before anything runs. */
  goOnWithoutUnknown?: boolean
}

/**
 * Reads the file, chooses nodes, makes sure of their host keys, and hands them over; closes every connection at the end, also after
 * Ctrl-C. Throws Failure: 2 for the file and the choice, 4 for host keys that nobody vouches for.
 */
export async function withMachines<T>(o: Wanted, work: (machines: Machines) => Promise<T>): Promise<T> {
  const { file, cluster } = await readCluster(o.flags, o.io)
  const nodes = o.choose ? o.choose(cluster) : chooseNodes(cluster, o.flags.on)
  const targets = new Map(nodes.map(node => [node.name, targetOf(node, { cluster, file, env: o.io.env })]))
  const target = (node: WantedNode) => targets.get(node.name)!
  return withConnections({ cluster: cluster.name, sudo: cluster.ssh.sudo, io: o.io }, async connections => {
    const accept = o.flags.acceptNewHostKeys === true
    const failures = await verified({ ...o, connections, targets: [...targets.values()], accept })
    const on = async (node: WantedNode) => {
      const failure = failures.get(node.name)
      if (failure) throw failure
      return connections.to(target(node))
    }
    const each: Machines['each'] = work =>
      Promise.all(nodes.map(node => outcomeOf(node, async () => work(await on(node), node))))
    return work({ cluster, file, nodes, connections, target, on, each })
  })
}

/** Connections with our known_hosts of this cluster and with prompts; closed at the end. */
export async function withConnections<T>(
  o: { cluster: string; sudo: string; io: Io },
  work: (connections: Connections) => Promise<T>,
): Promise<T> {
  const { Connections } = await import('../../provision/index.ts')
  const connections = new Connections({
    knownHosts: join(stateFolder(o.cluster, o.io.env), 'known_hosts'),
    env: o.io.env,
    signal: o.io.signal,
    onWeak: sayWeak(o.io),
    ...secretsFrom(o.io, o),
  })
  try {
    return await work(connections)
  } finally {
    await connections.close()
  }
}

/** Which nodes cannot be worked on, by name; all others have a host key that somebody vouched for. */
async function verified(o: {
  connections: Connections
  targets: Target[]
  accept: boolean
  goOnWithoutUnknown?: boolean
  io: Io
}): Promise<Map<string, Failure>> {
  const failures = new Map<string, Failure>()
  const choices: Choice[] = []
  await Promise.all(
    o.targets.map(async target => {
      const choice = await o.connections.choice(target).catch(thrown => {
        if (!(thrown instanceof Failure)) throw thrown
        failures.set(target.node, thrown)
      })
      if (choice) choices.push(choice)
    }),
  )
  sayWays(choices, o.io)
  const enrolment = await enrolNew({
    ...o,
    targets: o.targets.filter(target => !failures.has(target.node)),
  })
  if (enrolment.unknown.length > 0 && !o.goOnWithoutUnknown) throw unknownKeys(enrolment.unknown)
  for (const [node, failure] of enrolment.failures) failures.set(node, failure)
  return failures
}

async function outcomeOf<T>(node: WantedNode, work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { node, value: await work() }
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    return { node, failure: thrown }
  }
}
