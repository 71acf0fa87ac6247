import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { startOllamaStandIn } from '../../../helpers/ollama-stand-in/index.ts'
import { framesOf, type RunningWorker, startWorker } from './running.ts'

async function figure(w: RunningWorker, name: string): Promise<number> {
  const metric = await w.metrics.registry.getSingleMetric(name)!.get()
  return metric.values.reduce((sum, v) => sum + v.value, 0)
}

test('1,000 clients that vanish in any phase leave no slot, no place in the line and no request at Ollama', async () => {
  const ollama = await startOllamaStandIn({
    models: { llama: { loadMs: 300, prefillMs: 3, tokens: Array(20).fill('word '), everyMs: 2 } },
  })
  onTestFinished(() => ollama.stop())
  const w = await startWorker({ backend: 'ollama', slots: 4, ollama: { url: ollama.url } })
  const outcomes = { answered: 0, busy: 0, gone: 0, other: [] as unknown[] }
  const one = async () => {
    const gone = new AbortController()
    const timer = setTimeout(() => gone.abort(), Math.random() * 120)
    const wanted = Math.random() < 0.3 ? 'task' : 'interactive'
    try {
      await framesOf(w, { model: 'llama', class: wanted }, ownHop(60_000, gone.signal))
      outcomes.answered++
    } catch (thrown) {
      if ((thrown as { status?: number }).status === 429) outcomes.busy++
      else if (gone.signal.aborted) outcomes.gone++
      else outcomes.other.push(thrown)
    } finally {
      clearTimeout(timer)
    }
  }
  const crowd: Promise<void>[] = []
  for (let i = 0; i < 1000; i++) {
    crowd.push(one())
    if (i % 10 === 9) await sleep(12)
  }
  await Promise.all(crowd)
  expect(outcomes.other).toEqual([])
  expect(outcomes.gone).toBeGreaterThan(50)
  await vi.waitFor(async () => {
    expect(await figure(w, 'llmagentos_worker_running')).toBe(0)
    expect(await figure(w, 'llmagentos_worker_queued')).toBe(0)
    expect(ollama.live()).toBe(0)
  }, 15_000)
  const frames = await framesOf(w, { model: 'llama' })
  expect(frames.at(-1)).toMatchObject({ type: 'end', usage: { completionTokens: 20 } })
})

test('a client that leaves frees its slot for the next one', async () => {
  const ollama = await startOllamaStandIn({
    models: { llama: { tokens: Array(5000).fill('x '), everyMs: 5 } },
  })
  onTestFinished(() => ollama.stop())
  const w = await startWorker({ backend: 'ollama', slots: 1, ollama: { url: ollama.url } })
  const gone = new AbortController()
  const first = framesOf(w, { model: 'llama' }, ownHop(60_000, gone.signal)).catch(() => 'gone')
  await vi.waitFor(() => expect(ollama.live()).toBeGreaterThan(0))
  ollama.set('llama', { tokens: ['y'] })
  const second = framesOf(w, { model: 'llama' })
  gone.abort()
  expect(await first).toBe('gone')
  const frames = await second
  expect(frames.at(-1)).toMatchObject({ type: 'end', finish: 'stop' })
})

test('stopping the service ends a running answer with an error frame, not with an end', async () => {
  const ollama = await startOllamaStandIn({
    models: { llama: { tokens: Array(5000).fill('x '), everyMs: 5 } },
  })
  onTestFinished(() => ollama.stop())
  const w = await startWorker({ backend: 'ollama', slots: 1, ollama: { url: ollama.url } })
  const answer = framesOf(w, { model: 'llama' })
  await vi.waitFor(() => expect(ollama.requests).toHaveLength(1))
  const [frames] = await Promise.all([answer, w.stop()])
  expect(frames.at(-1)).toMatchObject({ type: 'error', error: { code: 'stopping' } })
})
