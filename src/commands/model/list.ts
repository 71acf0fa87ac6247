import type { Model } from '../../contracts/models.ts'
import type { Command } from '../command.ts'

export const list: Command = {
  name: 'list',
  summary: 'list the models that workers have',
  example: 'llmagentos model list',
  async run({ json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { listModels } = await import('../../contracts/models.ts')
    const client = await openClient(io)
    const found = await client.call(listModels).finally(() => client.close())
    if (json) return io.print(JSON.stringify(found))
    const { table } = await import('../views/table.ts')
    const rows = found.models.map(m => row(m, found.default))
    io.print(table(['MODEL', 'ENGINE', 'SIZE', 'CONTEXT', 'STATE', 'WORKERS'], rows))
  },
}

function row(m: Model, standard: string): string[] {
  return [
    m.name === standard ? `${m.name} (default)` : m.name,
    m.engine,
    m.bytes === undefined ? '-' : `${(m.bytes / 1e9).toFixed(1)} GB`,
    m.contextTokens === undefined ? '-' : String(m.contextTokens),
    m.embeds ? 'embeds' : m.loaded ? 'loaded' : 'on disk',
    m.workers.map(worker => whereOf(worker, m)).join(', '),
  ]
}

/** Of several workers those are named that have it in memory. */
const whereOf = (worker: string, { workers, loaded, loadedOn = [] }: Model) =>
  workers.length > 1 && loaded && loadedOn.includes(worker) ? `${worker} (loaded)` : worker
