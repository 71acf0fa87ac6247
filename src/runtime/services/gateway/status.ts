import { version } from '../../../assets.ts'
import type { ServiceName } from '../../../contracts/identity.ts'
import type { ClusterStatus, Ready } from '../../../contracts/status.ts'
import { reasonOf } from '../../../errors.ts'
import type { Peer } from '../../transport.ts'
import type { Gate } from './gate.ts'

const PROBE_MS = 2_000

/** How the cluster is: what every service says of itself, asked now. */
export async function statusOf({ deps }: Gate): Promise<ClusterStatus> {
  const { config, calls, verifier } = deps
  const names = Object.keys(config.services) as ServiceName[]
  const answers = await Promise.all(
    names.map(async name => ({ name, of: await Promise.all(calls.peers(name).map(readyOf)) })),
  )
  const facts = Object.assign({}, ...answers.flatMap(a => a.of.map(r => r.facts)))
  const services = answers.map(a => ({
    name: a.name,
    ready: a.of.some(r => r.ready),
    notes: a.of.flatMap(r => r.notes),
  }))
  return {
    name: config.cluster,
    version: version(),
    healthy: services.every(s => s.ready),
    upSeconds: Math.floor(process.uptime()),
    store: facts.store ?? 'unknown',
    engine: facts.engine ?? 'none',
    model: facts.model ?? 'none',
    auth: { maxStaleMs: verifier.maxStaleMs() },
    services,
  }
}

async function readyOf(peer: Peer): Promise<Omit<Ready, 'service'>> {
  try {
    const reply = await peer.request({ method: 'GET', path: '/ready', signal: AbortSignal.timeout(PROBE_MS) })
    return JSON.parse(await reply.body.text()) as Ready
  } catch (thrown) {
    return { ready: false, notes: [`it does not answer: ${reasonOf(thrown)}`], facts: {} }
  }
}
