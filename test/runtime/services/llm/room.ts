import { onTestFinished } from 'vitest'
import type { WorkerState } from '../../../../src/contracts/worker.ts'
import { silent } from '../../../../src/log.ts'
import { waitFor } from '../../../../src/retry.ts'
import type { Hop } from '../../../../src/runtime/hop.ts'
import { type Candidate, Workers } from '../../../../src/runtime/services/llm/workers.ts'
import type { Calls, Peer } from '../../../../src/runtime/transport.ts'

export interface Given {
  name: string
  slots: number
}

/** What llm knows of workers, where a test says what each of them tells of itself. */
export async function workersOf(given: Given[]) {
  const peers = new Map(given.map(w => [w.name, { name: w.name } as unknown as Peer]))
  const ends = new Map<Peer, () => void>()
  const down = new Set<Peer>()
  const calls = {
    peers: () => [...peers.values()],
    async *lines(_route: unknown, hop: Hop, { peer }: { peer: Peer }) {
      if (down.has(peer)) throw new Error('connection refused')
      yield state(given.find(w => peers.get(w.name) === peer)!)
      await new Promise((_, reject) => {
        ends.set(peer, () => reject(new Error('the connection broke')))
        hop.signal.addEventListener('abort', reject)
      })
    },
  }
  const workers = new Workers({ calls: calls as unknown as Calls, log: silent })
  workers.start()
  onTestFinished(() => workers.stop())
  const heard = (n: number) =>
    waitFor(
      { says: `${n} workers`, deadlineMs: 5_000, everyMs: 5 },
      () => workers.states().length === n || undefined,
    )
  await heard(given.length)
  return {
    workers,
    candidates: (...names: string[]): Candidate[] =>
      names.map(name => ({ name, engine: 'ollama', model: 'm', loaded: true, peer: peers.get(name)! })),
    async end(name: string) {
      down.add(peers.get(name)!)
      ends.get(peers.get(name)!)!()
      await heard(given.length - down.size)
    },
  }
}

const state = ({ name, slots }: Given): WorkerState => ({
  name,
  slots,
  ...{ engine: 'ollama', boot: 'b', seq: 1, running: 0, queued: 0, models: [], defaultModel: 'm' },
})
