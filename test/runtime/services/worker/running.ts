import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { WorkerConfig } from '../../../../src/contracts/config.ts'
import type { WorkerFrame } from '../../../../src/contracts/worker.ts'
import { type GenerateRequest, generate } from '../../../../src/contracts/worker.ts'
import { silent } from '../../../../src/log.ts'
import { type Hop, ownHop } from '../../../../src/runtime/hop.ts'
import { Metrics } from '../../../../src/runtime/metrics.ts'
import { buildApp } from '../../../../src/runtime/server/app.ts'
import type { Deps, Running } from '../../../../src/runtime/service.ts'
import { worker } from '../../../../src/runtime/services/worker/index.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { tempFolder } from '../../../helpers/temp.ts'

export interface RunningWorker {
  calls: Calls
  running: Running
  metrics: Metrics
  socket: string
  stop(): Promise<void>
}

/** A path that only we may reach. */
export function workerSocket(): string {
  const folder = tempFolder()
  chmodSync(folder, 0o700)
  return join(folder, 'w.sock')
}

/** The worker service alone, on a unix socket, called as llm calls it. */
export async function startWorker(
  config: Partial<WorkerConfig> = {},
  socket = workerSocket(),
): Promise<RunningWorker> {
  const metrics = new Metrics('worker')
  const app = buildApp({ log: silent, metrics })
  const whole: WorkerConfig = {
    services: {},
    listen: { socket },
    name: 'w1',
    slots: 4,
    backend: 'extractive',
    ollama: { url: 'http://127.0.0.1:1' },
    ...config,
  }
  const others = new Calls('worker', whole.services)
  const running = await worker.setup(app, {
    config: whole,
    log: silent,
    metrics,
    calls: others,
    verify: () => Promise.reject(new Error('a worker sees no tokens')),
  } as unknown as Deps<WorkerConfig>)
  await app.listen({ path: socket, backlog: 4096 })
  const calls = new Calls('llm', { worker: [{ socket }] })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= (async () => {
      const closed = app.close()
      await running.stop(1_000)
      await calls.close()
      await others.close()
      await closed
    })()
    return stopped
  }
  onTestFinished(stop)
  return { calls, running, metrics, socket, stop }
}

export const request = (o: Partial<GenerateRequest> = {}): GenerateRequest => ({
  model: 'extractive',
  messages: [{ role: 'user', content: 'How do I add a node?' }],
  passages: [],
  class: 'interactive',
  sampling: {},
  ...o,
})

export async function framesOf(
  w: RunningWorker,
  body: Partial<GenerateRequest> = {},
  hop: Hop = ownHop(),
): Promise<WorkerFrame[]> {
  const frames: WorkerFrame[] = []
  for await (const f of w.calls.lines<WorkerFrame>(generate, hop, { body: request(body) })) frames.push(f)
  return frames
}

export const textOf = (frames: WorkerFrame[]) => frames.map(f => (f.type === 'text' ? f.text : '')).join('')
