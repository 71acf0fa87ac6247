import { expect, onTestFinished, test, vi } from 'vitest'
import { startOllamaStandIn } from '../../../helpers/ollama-stand-in/index.ts'
import { framesOf, startWorker } from './running.ts'

test('counts answers, and models that come into memory and leave it, with the memory that they take', async () => {
  const ollama = await startOllamaStandIn({ models: { warm: {}, cold: { loadMs: 5 } } })
  onTestFinished(() => ollama.stop())
  const w = await startWorker({ backend: 'ollama', ollama: { url: ollama.url } })
  expect(await printed()).toMatch(/_model_loads_total\S* 1\n/)
  await framesOf(w, { model: 'cold' })
  ollama.remove('warm')
  await vi.waitFor(async () => {
    const text = await printed()
    expect(text).toMatch(/_model_loads_total\S* 2\n/)
    expect(text).toMatch(/_model_evictions_total\S* 1\n/)
    expect(text).toMatch(/_model_vram_bytes{model="cold:latest"\S* 5137025024\n/)
    expect(text).not.toContain('model="warm:latest"')
    expect(text).toMatch(/_answer_seconds_count\S* 1\n/)
  }, 10_000)

  async function printed() {
    return w.metrics.registry.metrics()
  }
})
