import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { DataConfig } from '../../../../src/contracts/config.ts'
import { ROLE_SCOPES, ROLES, type ServiceName } from '../../../../src/contracts/identity.ts'
import { silent } from '../../../../src/log.ts'
import { type Hop, ownHop } from '../../../../src/runtime/hop.ts'
import { Metrics } from '../../../../src/runtime/metrics.ts'
import { Refusal } from '../../../../src/runtime/refusal.ts'
import { buildApp } from '../../../../src/runtime/server/app.ts'
import { data } from '../../../../src/runtime/services/data/index.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { tempFolder } from '../../../helpers/temp.ts'

/** The data service on a socket of its own. A token is the user's name here: a stand-in for auth. */
export async function startData(folder = tempFolder(), more: Partial<DataConfig> = {}) {
  const socket = join(folder, 's')
  const services = { data: [{ socket }] }
  const app = buildApp({ log: silent, metrics: new Metrics('data') })
  const config = {
    services,
    listen: { socket },
    store: { embedded: join(folder, 'store') },
    indexFolder: join(folder, 'index'),
    ...more,
  }
  const deps = {
    config,
    log: silent,
    calls: new Calls('data', services),
    metrics: new Metrics('data'),
    verify,
  }
  const running = await data.setup(app, deps as unknown as Parameters<typeof data.setup>[1])
  await app.listen({ path: socket })
  const closed: Calls[] = [deps.calls]
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= (async () => {
      await Promise.all(closed.map(c => c.close()))
      await app.close()
      await running.stop(1000)
    })()
    return stopped
  }
  onTestFinished(stop)
  return {
    folder,
    socket,
    stop,
    notes: () => running.notes?.() ?? [],
    facts: () => running.facts?.() ?? {},
    as(name: ServiceName): Calls {
      const calls = new Calls(name, services)
      closed.push(calls)
      return calls
    },
  }
}

export const hopOf = (user?: string, deadlineMs = 20_000): Hop => ({ ...ownHop(deadlineMs), token: user })

async function verify(token: string) {
  if (!/^[a-z-]+$/.test(token)) throw new Refusal(401, 'no_token', 'This is no token.')
  const role = ROLES.find(r => r === token) ?? 'user'
  return { user: token, key: 'k', role, scopes: [...ROLE_SCOPES[role]] } as const
}
