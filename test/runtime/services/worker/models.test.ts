import { expect, onTestFinished, test } from 'vitest'
import type { PullFrame } from '../../../../src/contracts/models.ts'
import { workerEmbed, workerPull, workerRemoveModel } from '../../../../src/contracts/worker.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { startOllamaStandIn } from '../../../helpers/ollama-stand-in/index.ts'
import { framesOf, type RunningWorker, startWorker, textOf } from './running.ts'

async function withOllama() {
  const ollama = await startOllamaStandIn({ models: { embed: { dimensions: 4 } } })
  onTestFinished(() => ollama.stop())
  return { ollama, w: await startWorker({ backend: 'auto', ollama: { url: ollama.url } }) }
}

async function pull(w: RunningWorker, name: string): Promise<PullFrame[]> {
  const frames: PullFrame[] = []
  for await (const f of w.calls.lines<PullFrame>(workerPull, ownHop(), { body: { name } })) frames.push(f)
  return frames
}

test('downloads a model over its route, answers with it, and removes it, slashes in its name included', async () => {
  const { ollama, w } = await withOllama()
  const name = 'hub/some-team/tiny:q4'
  ollama.library.set(name, { layers: [{ digest: 'sha256:abc', total: 100 }] })
  const frames = await pull(w, name)
  expect(frames[0]).toMatchObject({ type: 'progress', status: 'pulling manifest' })
  expect(frames.at(-1)).toEqual({ type: 'done', model: name })
  expect(textOf(await framesOf(w, { model: name }))).toBe('You said: How do I add a node?')
  const removed = await w.calls.call(workerRemoveModel, ownHop(), { params: { '*': name } })
  expect(removed).toEqual({ removed: name })
  await expect(framesOf(w, { model: name })).rejects.toMatchObject({ status: 404 })
})

test('a download that fails after it began ends with an error frame', async () => {
  const { w } = await withOllama()
  const frames = await pull(w, 'nothing-like-it')
  expect(frames.at(-1)).toMatchObject({ type: 'error', error: { code: 'no_model' } })
})

test('makes vectors over its route', async () => {
  const { w } = await withOllama()
  const answer = await w.calls.call(workerEmbed, ownHop(), { body: { model: 'embed', input: ['a b', 'c'] } })
  expect(answer.vectors).toHaveLength(2)
  expect(answer.vectors[0]).toHaveLength(4)
})

test('without Ollama, vectors and downloads are refused with what to do', async () => {
  const w = await startWorker()
  const embedded = w.calls.call(workerEmbed, ownHop(), { body: { model: 'extractive', input: ['a'] } })
  await expect(embedded).rejects.toMatchObject({ status: 400, next: expect.stringContaining('model pull') })
  await expect(pull(w, 'tiny')).rejects.toMatchObject({ status: 404, code: 'no_engine' })
  const removed = w.calls.call(workerRemoveModel, ownHop(), { params: { '*': 'extractive' } })
  await expect(removed).rejects.toMatchObject({ status: 400 })
})
