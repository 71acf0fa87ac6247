import { bootstrapKey } from '../../contracts/auth.ts'
import type { AuthConfig, ProcessConfig } from '../../contracts/config.ts'
import { EXIT, Failure } from '../../errors.ts'
import { silent } from '../../log.ts'
import { Secret } from '../../secret.ts'
import { ownHop } from '../hop.ts'
import { openCredentials } from '../tls/credentials.ts'
import { Calls } from '../transport.ts'

/**
 * A fresh key of user `admin`, asked for as auth itself. Whoever may enter the folder of the sockets, or read auth's private key, owns the
 * cluster, so no other proof is asked.
 */
export async function newAdminKey(config: ProcessConfig, signal: AbortSignal): Promise<Secret> {
  const { services, tls } = authIn(config)
  const credentials = tls && openCredentials(tls, { service: 'auth', log: silent })
  const calls = new Calls('auth', services, { credentials })
  try {
    const { key } = await calls.call(bootstrapKey, ownHop(10_000, signal), { body: { name: 'cluster up' } })
    return new Secret(key)
  } finally {
    await calls.close()
    credentials?.close()
  }
}

function authIn(config: ProcessConfig): AuthConfig {
  const own = config.services.find(s => s.name === 'auth')?.config as AuthConfig | undefined
  if (!own)
    throw new Failure('An admin key comes from auth, and the config describes no auth.', {
      exit: EXIT.usage,
      next: 'Give the config file of a process that runs auth.',
    })
  if (own.tls || !own.services['auth']?.some(at => 'host' in at)) return own
  throw new Failure('The config of auth has addresses of other machines, and no `tls`.', {
    exit: EXIT.usage,
    next: 'Give it tls: {cert, key, ca}.',
  })
}
