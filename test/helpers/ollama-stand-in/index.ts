import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Disk } from './disk.ts'
import { answer } from './routes.ts'
import type { Script } from './script.ts'
import { full, type Held, type OllamaStandIn, type State } from './state.ts'

export type { Script } from './script.ts'
export type { OllamaStandIn } from './state.ts'

/**
 * Stands in for Ollama's HTTP API (and for its OpenAI one) where no Ollama can be had. Its shapes are those of api/types.go and
 * docs/api.md of ollama/ollama; what it says is scripted. It is no model: nothing that it passes says anything about quality or speed.
 */
export async function startOllamaStandIn(
  o: { models?: Record<string, Script>; port?: number; version?: string; folder?: string } = {},
): Promise<OllamaStandIn> {
  const models = new Map<string, Held>()
  let live = 0
  let abandoned = 0
  let made = 0

  const standIn: Omit<OllamaStandIn, 'url' | 'port' | 'stop'> = {
    set(name, script = {}) {
      const digest = `${(++made).toString(16).padStart(4, '0')}${'0'.repeat(60)}`
      models.set(full(name), { script, digest, loaded: script.loadMs === undefined })
    },
    remove: name => void models.delete(full(name)),
    loaded: name => models.get(full(name))?.loaded ?? false,
    library: new Map(),
    taken: 0,
    live: () => live,
    abandoned: () => abandoned,
    requests: [],
    version: o.version ?? '0.24.0',
    hangs: false,
  }
  for (const [name, script] of Object.entries(o.models ?? {})) standIn.set(name, script)

  const disk = o.folder === undefined ? undefined : new Disk(o.folder)
  for (const name of disk?.names() ?? []) standIn.set(name)

  const state: State = { disk, standIn, models, waiting: [] }
  const server = createServer({ noDelay: true }, (req, res) => {
    live++
    res.once('close', () => {
      live--
      if (!res.writableFinished) abandoned++
    })
    if (!standIn.hangs) answer(state, req, res).catch(() => res.destroy())
  })
  server.listen(o.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return Object.assign(standIn, {
    port,
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections()
      if (server.listening) await new Promise(resolve => server.close(resolve))
    },
  })
}
