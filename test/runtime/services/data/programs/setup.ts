import { join } from 'node:path'
import type { DataConfig } from '../../../../../src/contracts/config.ts'
import { silent } from '../../../../../src/log.ts'
import { Metrics } from '../../../../../src/runtime/metrics.ts'
import { buildApp } from '../../../../../src/runtime/server/app.ts'
import { data } from '../../../../../src/runtime/services/data/index.ts'
import { Calls } from '../../../../../src/runtime/transport.ts'

const SCOPES = ['data:read', 'data:write', 'kb:read', 'kb:write']

/** The real data service on `<folder>/s`. A token is the user's name here: a stand-in for auth. */
export async function listening(folder: string, more: Partial<DataConfig> = {}) {
  const socket = join(folder, 's')
  const services = { data: [{ socket }] }
  const app = buildApp({ log: silent, metrics: new Metrics('data') })
  const deps = {
    config: {
      services,
      listen: { socket },
      store: { embedded: join(folder, 'store') },
      indexFolder: join(folder, 'index'),
      ...more,
    },
    log: silent,
    calls: new Calls('data', services),
    metrics: new Metrics('data'),
    verify: async (user: string) => ({ user, key: 'k', role: 'user', scopes: SCOPES }),
  }
  const running = await data.setup(app, deps as unknown as Parameters<typeof data.setup>[1])
  app.get('/ready', async () => ({ notes: running.notes?.() ?? [], facts: running.facts?.() ?? {} }))
  await app.listen({ path: socket })
  const clients: Calls[] = []
  return {
    as(name: 'task' | 'gateway' | 'llm') {
      clients.push(new Calls(name, services))
      return clients.at(-1)!
    },
    async stop() {
      await Promise.all([...clients, deps.calls].map(c => c.close()))
      await app.close()
      await running.stop(1000)
    },
  }
}
