import type { Address, TlsFiles } from '../contracts/config.ts'
import type { ServiceName } from '../contracts/identity.ts'
import type { Ready } from '../contracts/status.ts'
import { EXIT, Failure, reasonOf } from '../errors.ts'
import { silent } from '../log.ts'
import { readProcessConfig } from './process-config.ts'
import { openCredentials } from './tls/credentials.ts'
import { dialService } from './tls/dial.ts'
import { Peer } from './transport.ts'

const ANSWER_MS = 5_000

/** Asks each service of a process whether it is ready, under its own identity. Throws Failure (6) that says which is not, and why. */
export async function readyFrom(o: {
  file: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
}): Promise<void> {
  const { services } = readProcessConfig(o.file, o.env)
  const notes = await Promise.all(services.map(({ name, config }) => missing(name, config as Own)))
  const why = notes.flat()
  if (why.length > 0)
    throw new Failure('Not ready.', { exit: EXIT.unhealthy, why: why.join('\n'), next: 'Wait a moment.' })
}

interface Own {
  listen: Address
  tls?: TlsFiles
}

async function missing(name: ServiceName, { listen, tls }: Own): Promise<string[]> {
  const credentials = tls && openCredentials(tls, { service: name, log: silent })
  const peer = new Peer(name, listen, { dial: credentials && dialService(credentials, name) })
  try {
    const reply = await peer.request({
      method: 'GET',
      path: '/ready',
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    const { ready, notes } = JSON.parse(await reply.body.text()) as Ready
    return ready ? [] : notes.map(note => `${name}: ${note}`)
  } catch (thrown) {
    return [`${name} does not answer: ${reasonOf(thrown)}`]
  } finally {
    await peer.close()
    credentials?.close()
  }
}
