import { existsSync } from 'node:fs'
import { EXIT, Failure } from '../../errors.ts'
import { runHere } from './local.ts'
import { givenOptions, type Host, hostOf, type Options, parseOptions } from './options.ts'

/** How cluster.yaml names a node, as far as its connection goes. */
export interface Target {
  node: string
  /** An address, a name, or an alias of ~/.ssh/config. */
  host: string
  port?: number
  user?: string
  identityFile?: string
  /** `[user@]host[:port]`, several with commas: as ssh -J takes them. */
  bastion?: string
  /** `SHA256:...`: the only host key that is accepted. */
  hostKey?: string
  /** Which program carries it; `auto` unless told. */
  client?: 'auto' | 'ssh2' | 'system'
}

export interface Resolved {
  host: Host
  /** Options that somebody gave, by name. */
  given: string[]
  /** The machines between, nearest to us first; each as its own entry of ~/.ssh/config says. */
  hops: { host: Host; given: string[] }[]
}

const DEADLINE_MS = 20_000
const MOST_HOPS = 8

/** Asks `ssh -G` for the node and for each machine between. `config` is what `ssh -F` takes; without it ssh reads its usual files. */
export async function resolve(
  target: Target,
  o: { config?: string; env: NodeJS.ProcessEnv },
): Promise<Resolved> {
  if (target.identityFile && !existsSync(target.identityFile))
    throw new Failure(`The identity file ${target.identityFile} of ${target.node} is not there.`, {
      exit: EXIT.usage,
      next: 'Correct ssh.identityFile.',
    })
  const own = await resolveOne(target.host, flagsOf(target), target.node, o)
  const hops = await hopsOf(own.host, target, o, [placeOf(own.host)])
  return { ...own, hops }
}

/** What ssh is told beside its configuration, before the `--` and the host. */
export function flagsOf(target: Target): string[] {
  return [
    ...(target.port ? ['-p', String(target.port)] : []),
    ...(target.user ? ['-l', target.user] : []),
    ...(target.identityFile ? ['-i', target.identityFile] : []),
    ...(target.bastion ? ['-J', target.bastion] : []),
  ]
}

/** ProxyJump of a jump host counts for the first one only: the others are reached from the one before them. */
async function hopsOf(
  host: Host,
  target: Target,
  o: { config?: string; env: NodeJS.ProcessEnv },
  seen: string[],
): Promise<{ host: Host; given: string[] }[]> {
  if (seen.length > MOST_HOPS || new Set(seen).size < seen.length)
    throw new Failure(`The way to ${target.node} goes in a circle: ${seen.toReversed().join(' -> ')}.`, {
      exit: EXIT.usage,
      next: 'Correct ProxyJump in ~/.ssh/config, or the bastion in cluster.yaml.',
    })
  if (host.jumps.length === 0) return []
  const identity = target.identityFile ? ['-i', target.identityFile] : []
  const jumps = await Promise.all(
    host.jumps.map(jump => {
      const { user, name, port } = parseJump(jump, target.node)
      const flags = [...(port ? ['-p', port] : []), ...(user ? ['-l', user] : []), ...identity]
      return resolveOne(name, flags, target.node, o)
    }),
  )
  const first = jumps[0]!.host
  return [...(await hopsOf(first, target, o, [...seen, placeOf(first)])), ...jumps]
}

function parseJump(jump: string, node: string): { user?: string; name: string; port?: string } {
  const parts =
    /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:[\]]+|[0-9a-fA-F:]+::?[0-9a-fA-F:]*))(?::(\d+))?\/?$/.exec(
      jump,
    )
  const name = parts?.[2] ?? parts?.[3]
  if (!name || name.startsWith('-'))
    throw new Failure(
      `The bastion ${JSON.stringify(jump)} of ${node} is not of the form [user@]host[:port].`,
      {
        exit: EXIT.usage,
        next: 'Correct it.',
      },
    )
  return { user: parts?.[1], name, port: parts?.[4] }
}

async function resolveOne(
  alias: string,
  flags: string[],
  node: string,
  o: { config?: string; env: NodeJS.ProcessEnv },
): Promise<{ host: Host; given: string[] }> {
  const config = o.config ? ['-F', o.config] : []
  const [said, builtIn] = await Promise.all([
    runHere(['ssh', '-G', ...config, ...flags, '--', alias], { deadlineMs: DEADLINE_MS }),
    builtInOptions(),
  ])
  if (said.code !== 0)
    throw new Failure(
      `ssh does not understand the host ${JSON.stringify(alias)} of ${node}, or its own configuration.`,
      {
        exit: EXIT.usage,
        why: said.stderr.trim().split('\n').at(-1),
        next: `Try it: ssh -G ${alias}`,
      },
    )
  const options = parseOptions(said.stdout)
  return { host: hostOf(alias, options, o.env), given: givenOptions(options, builtIn) }
}

const placeOf = (host: Host) => `${host.host}:${host.port}`

let builtIn: Promise<Options> | undefined

/** As OpenSSH would be without any configuration file; the same for every host but for the host's own name. */
function builtInOptions(): Promise<Options> {
  builtIn ??= runHere(['ssh', '-G', '-F', 'none', '--', 'built-in.invalid'], {
    deadlineMs: DEADLINE_MS,
  }).then(said => parseOptions(said.stdout))
  return builtIn
}
