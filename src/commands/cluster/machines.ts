import { mkdirSync, readFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { version } from '../../assets.ts'
import { codeOf } from '../../errors.ts'
import type { Applied, Cluster, Wanted } from '../../provision/index.ts'
import type { Io, Option } from '../command.ts'
import { type Machines, stateFolder } from '../machines/index.ts'
import { each, wholeNumber } from '../values.ts'

/** What `cluster plan` and `cluster up` take beside the flags of every command on machines. */
export interface FileFlags {
  forget?: string[]
  replaceApplied?: number
}

export const fileOptions: Option[] = [
  {
    flag: '--forget <node>',
    says: 'a member that cluster.yaml no longer has, and whose machine is gone for good',
    parse: each,
  },
  {
    flag: '--replace-applied <number>',
    says: 'replace the file that somebody else applied, after having seen it',
    parse: wholeNumber({ from: 1, to: 1_000_000_000 }),
  },
]

/** All that provision wants to know of this run. */
export async function wantedOf(machines: Machines, o: { flags: FileFlags; io: Io }): Promise<Wanted> {
  const { cluster, nodes } = machines
  const outcomes = await machines.each(async connection => connection)
  return {
    cluster,
    nodes,
    connections: new Map(outcomes.flatMap(one => (one.failure ? [] : [[one.node.name, one.value]]))),
    unreached: new Map(outcomes.flatMap(one => (one.failure ? [[one.node.name, one.failure]] : []))),
    base: readBase(cluster, o.io.env),
    forget: o.flags.forget ?? [],
    replaceApplied: o.flags.replaceApplied,
    who: `${o.io.env['USER'] ?? userInfo().username}@${hostname()}`,
    version: version(),
    signal: o.io.signal,
  }
}

type Base = Pick<Applied, 'number' | 'file'>

/** Remembers here what the cluster now has, so that the next file is known to grow from it. */
export async function writeBase(
  cluster: Cluster,
  { number, file }: Base,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { writeWhole } = await import('../../provision/index.ts')
  if (readBase(cluster, env)?.number === number) return
  mkdirSync(stateFolder(cluster.name, env), { recursive: true, mode: 0o700 })
  writeWhole(baseFile(cluster, env), `${JSON.stringify({ number, file })}\n`, { replace: true })
}

function readBase(cluster: Cluster, env: NodeJS.ProcessEnv): Base | undefined {
  try {
    return JSON.parse(readFileSync(baseFile(cluster, env), 'utf8'))
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

export const baseFile = (cluster: Cluster, env: NodeJS.ProcessEnv) =>
  join(stateFolder(cluster.name, env), 'applied.json')
