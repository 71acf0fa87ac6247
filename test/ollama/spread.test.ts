import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { PullFrame } from '../../src/contracts/models.ts'
import { silent } from '../../src/log.ts'
import { ownHop } from '../../src/runtime/hop.ts'
import { spread } from '../../src/runtime/services/llm/spread.ts'
import { Workers } from '../../src/runtime/services/llm/workers.ts'
import { Calls } from '../../src/runtime/transport.ts'
import { tempFolder } from '../helpers/temp.ts'
import { freePort } from '../runtime/services/worker/engines.ts'
import { framesOf, startWorker, textOf, workerSocket } from '../runtime/services/worker/running.ts'
import { modelsAt } from './models.ts'

const binary = process.env['OLLAMA_BINARY']

test.skipIf(!binary)(
  'a model goes from one real Ollama to two others, which then answer with it (skipped: OLLAMA_BINARY names no program)',
  async () => {
    const sockets = [workerSocket(), workerSocket(), workerSocket()]
    const services = { worker: sockets.map(socket => ({ socket })) }
    const started = []
    for (const [i, socket] of sockets.entries()) {
      const models = tempFolder()
      const url = await startOllama(models)
      if (i === 0) await modelsAt(url)
      const name = `w${i + 1}`
      const ollama = { url, models, startedElsewhere: true }
      started.push(await startWorker({ services, name, backend: 'ollama', ollama }, socket))
    }
    const calls = new Calls('llm', services)
    const workers = new Workers({ calls, log: silent })
    workers.start()
    onTestFinished(async () => {
      await workers.stop()
      await calls.close()
    })
    const MODEL = 'lao-tiny-chat'
    const digests = () =>
      workers
        .states()
        .flatMap(({ state }) => state.models.filter(m => m.name === `${MODEL}:latest`).map(m => m.digest))
    await vi.waitFor(() => expect(digests()).toHaveLength(1), 20_000)
    const frames: PullFrame[] = []
    for await (const frame of spread({ name: MODEL }, { workers, calls, hop: ownHop(60_000) }))
      frames.push(frame)
    expect(frames.at(-1)).toMatchObject({ type: 'done', workers: expect.arrayContaining(['w1', 'w2', 'w3']) })
    await vi.waitFor(() => expect(digests()).toHaveLength(3), 20_000)
    // One that was made here has a manifest that ends with a line's end, as no pulled one has.
    expect(new Set(digests()).size).toBe(2)
    for (const w of started) {
      const answer = await framesOf(w, { model: MODEL, sampling: { maxTokens: 5, seed: 1, temperature: 0 } })
      expect(textOf(answer)).not.toBe('')
      expect(answer.at(-1)).toMatchObject({ type: 'end' })
    }
  },
)

async function startOllama(models: string): Promise<string> {
  const host = `127.0.0.1:${await freePort()}`
  const env = { PATH: process.env['PATH'], HOME: models, OLLAMA_HOST: host, OLLAMA_MODELS: models }
  const child = spawn(binary!, ['serve'], { env: { ...env, OLLAMA_NO_CLOUD: '1' }, stdio: 'ignore' })
  onTestFinished(() => ended(child))
  const url = `http://${host}`
  await vi.waitFor(async () => expect((await fetch(`${url}/api/version`)).ok).toBe(true), 30_000)
  return url
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'exit')
}
