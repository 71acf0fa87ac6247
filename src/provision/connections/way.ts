import { existsSync } from 'node:fs'
import { type Choice, choose, type Traits } from './choose.ts'
import type { Identity, Keyring } from './identities.ts'
import { type KnownKey, knownKeys, needsCertificate } from './known-hosts.ts'
import type { Host } from './options.ts'
import { resolve, type Target } from './resolve.ts'

/** How a node is reached, before anybody has connected. */
export interface Way {
  target: Target
  choice: Choice
  user: string
  /** The machines between, nearest first, then the node itself. */
  machines: Machine[]
}

/** One machine on the way to a node, with all that is known of it here. */
export interface Machine {
  host: Host
  given: string[]
  known: KnownKey[]
  identities: Identity[]
  traits: Traits
}

interface Here {
  config?: string
  env: NodeJS.ProcessEnv
  knownHosts: string
  keys: Keyring
}

/** Asks ssh, known_hosts, the key files and the agent; connects to nobody. Throws Failure (2) for options that cannot be honoured. */
export async function findWay(target: Target, o: Here): Promise<Way> {
  const resolved = await resolve(target, o)
  const machines = await Promise.all([...resolved.hops, resolved].map(each => machineOf(each, o)))
  const choice = choose(machines, { node: target.node, client: target.client ?? 'auto' })
  return { target, choice, user: resolved.host.user, machines }
}

async function machineOf({ host, given }: { host: Host; given: string[] }, o: Here): Promise<Machine> {
  const files = [...host.knownHostsFiles, o.knownHosts]
  const [known, { identities, certificate }] = await Promise.all([
    knownKeys({ knownAs: host.knownAs, host: host.host, files }),
    o.keys.of(host),
  ])
  const traits = {
    needsHostCertificate: needsCertificate(known),
    knownTypes: [...new Set(known.filter(key => !key.mark).map(key => key.type))],
    identities,
    certificate,
    ticket: hasTicket(o.env),
  }
  return { host, given, known, identities, traits }
}

function hasTicket(env: NodeJS.ProcessEnv): boolean {
  return env['KRB5CCNAME'] !== undefined || existsSync(`/tmp/krb5cc_${process.getuid?.()}`)
}
