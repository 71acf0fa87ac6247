import type { Principal } from '../../../contracts/identity.ts'
import type { Model } from '../../../contracts/models.ts'
import { workerRemoveModel } from '../../../contracts/worker.ts'
import { asSelf, type Hop } from '../../hop.ts'
import type { Calls } from '../../transport.ts'
import type { Workers } from './workers.ts'

interface Means {
  workers: Workers
  calls: Calls
  hop: Hop
}

/** The models of all workers, each once, within what the key may use. */
export function models(workers: Workers, who: Principal): { models: Model[]; default: string } {
  const byName = new Map<string, Model>()
  for (const { state } of workers.states()) {
    for (const m of state.models) {
      const seen = byName.get(m.name)
      if (!seen) byName.set(m.name, { ...m, workers: [state.name], loadedOn: m.loaded ? [state.name] : [] })
      else {
        seen.workers.push(state.name)
        if (m.loaded) seen.loadedOn!.push(state.name)
        seen.loaded ||= m.loaded
      }
    }
  }
  const allowed = [...byName.values()].filter(m => !who.models || who.models.includes(m.name))
  return { models: allowed.toSorted((a, b) => a.name.localeCompare(b.name)), default: workers.defaultModel() }
}

/** From all that have it, or from all but `keep`: those stay first that have it in memory. */
export async function remove(
  { name, keep = 0 }: { name: string; keep?: number },
  { workers, calls, hop }: Means,
): Promise<{ removed: string; workers: string[] }> {
  const { model, candidates } = workers.candidates(name)
  const leaving = candidates.toSorted((a, b) => Number(b.loaded) - Number(a.loaded)).slice(keep)
  for (const c of leaving) {
    const reply = await calls.raw(workerRemoveModel, asSelf(hop), { peer: c.peer, params: { '*': model } })
    await calls.read(workerRemoveModel, reply)
  }
  return { removed: model, workers: leaving.map(c => c.name) }
}
