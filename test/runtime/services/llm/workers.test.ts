import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { silent } from '../../../../src/log.ts'
import type { Hop } from '../../../../src/runtime/hop.ts'
import { Workers } from '../../../../src/runtime/services/llm/workers.ts'
import type { Calls } from '../../../../src/runtime/transport.ts'

test('a worker is known without a gap while its stream of state is opened anew, before the deadline of the call', async () => {
  const worker = standIn()
  const workers = await followed(worker, 60)
  const lost = await lostWithin(workers, 400)
  expect(worker.opened).toBeGreaterThan(4)
  expect(lost).toBe(0)
})

test('a worker whose stream cannot be opened anew is forgotten', async () => {
  const worker = standIn()
  const workers = await followed(worker, 60)
  worker.gone = true
  await vi.waitFor(() => expect(workers.states()).toEqual([]))
  expect(workers.missing()).toEqual(['worker: it is gone'])
})

/** Its stream lasts until whoever reads it has enough. */
function standIn() {
  const worker = {
    opened: 0,
    gone: false,
    peers: () => [{}],
    async *lines(_route: unknown, { signal }: Hop) {
      worker.opened++
      await sleep(5)
      if (worker.gone) throw new Error('it is gone')
      yield { name: 'w1', slots: 1, running: 0, queued: 0, models: [], engine: 'extractive' }
      await new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
    },
  }
  return worker
}

async function followed(worker: ReturnType<typeof standIn>, followMs: number): Promise<Workers> {
  const workers = new Workers({ calls: worker as unknown as Calls, log: silent, followMs })
  workers.start()
  onTestFinished(() => workers.stop())
  await vi.waitFor(() => expect(workers.states()).toHaveLength(1))
  return workers
}

async function lostWithin(workers: Workers, ms: number): Promise<number> {
  let lost = 0
  for (const until = performance.now() + ms; performance.now() < until; await sleep(1))
    if (workers.states().length === 0) lost++
  return lost
}
