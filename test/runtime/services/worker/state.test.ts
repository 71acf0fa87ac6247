import { expect, onTestFinished, test } from 'vitest'
import { generate, type WorkerState, workerState } from '../../../../src/contracts/worker.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { startOllamaStandIn } from '../../../helpers/ollama-stand-in/index.ts'
import { framesOf, type RunningWorker, request, startWorker } from './running.ts'

function watch(w: RunningWorker): {
  states: WorkerState[]
  until(says: (s: WorkerState) => boolean): Promise<void>
} {
  const gone = new AbortController()
  const states: WorkerState[] = []
  let look = () => {}
  const lines = w.calls.lines<WorkerState & { type?: 'beat' }>(workerState, ownHop(60_000, gone.signal))
  void (async () => {
    for await (const line of lines) {
      if (line.type !== 'beat') states.push(line)
      look()
    }
  })().catch(() => {})
  onTestFinished(() => gone.abort())
  const until = (says: (s: WorkerState) => boolean) =>
    new Promise<void>(resolve => {
      look = () => {
        if (states.some(says)) resolve()
      }
      look()
    })
  return { states, until }
}

test('tells its state at once, on change and each second, with growing numbers and one boot id', async () => {
  const w = await startWorker()
  const { states, until } = watch(w)
  await until(() => states.length >= 1)
  expect(states[0]).toMatchObject({
    name: 'w1',
    engine: 'extractive',
    defaultModel: 'extractive',
    slots: 4,
    running: 0,
    queued: 0,
    models: [{ name: 'extractive', embeds: false, loaded: true }],
  })
  await until(() => states.length >= 3)
  expect(states.every((s, i) => i === 0 || s.seq > states[i - 1]!.seq)).toBe(true)
  expect(new Set(states.map(s => s.boot)).size).toBe(1)
  const other = await startWorker()
  const seen = watch(other)
  await seen.until(() => seen.states.length >= 1)
  expect(seen.states[0]!.boot).not.toBe(states[0]!.boot)
})

test('shows what runs and what waits while it does, and 0 afterwards', async () => {
  const ollama = await startOllamaStandIn({
    models: { llama: { tokens: Array(200).fill('x'), everyMs: 10 } },
  })
  onTestFinished(() => ollama.stop())
  const w = await startWorker({ backend: 'auto', slots: 1, ollama: { url: ollama.url } })
  const { states, until } = watch(w)
  const gone = new AbortController()
  const both = [1, 2].map(() =>
    framesOf(w, { model: 'llama' }, ownHop(60_000, gone.signal)).catch(() => 'gone'),
  )
  await until(s => s.running === 1 && s.queued === 1)
  gone.abort()
  expect(await Promise.all(both)).toEqual(['gone', 'gone'])
  const from = states.at(-1)!.seq
  await until(s => s.seq > from && s.running === 0 && s.queued === 0)
  expect(ollama.live() - ollama.abandoned()).toBeLessThanOrEqual(0)
})

test('only llm may call it', async () => {
  const w = await startWorker()
  const { Calls } = await import('../../../../src/runtime/transport.ts')
  const other = new Calls('gateway', { worker: [{ socket: w.socket }] })
  onTestFinished(() => other.close())
  const reply = await other.raw(generate, ownHop(), { body: request() })
  expect(reply.status).toBe(403)
  await reply.body.text()
})
