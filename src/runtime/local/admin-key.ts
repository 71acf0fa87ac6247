import { bootstrapKey } from '../../contracts/auth.ts'
import type { GatewayConfig, ProcessConfig } from '../../contracts/config.ts'
import { Secret } from '../../secret.ts'
import { ownHop } from '../hop.ts'
import { Calls } from '../transport.ts'

/** A fresh key of user `admin`. Whoever may enter the folder of the sockets owns the cluster, so no other proof is asked. */
export async function newAdminKey(config: ProcessConfig, signal: AbortSignal): Promise<Secret> {
  const { services } = config.services[0]!.config as GatewayConfig
  const calls = new Calls('gateway', services)
  try {
    const { key } = await calls.call(bootstrapKey, ownHop(10_000, signal), { body: { name: 'cluster up' } })
    return new Secret(key)
  } finally {
    await calls.close()
  }
}
