import { createServer } from 'node:net'
import { afterEach, beforeEach, onTestFinished, vi } from 'vitest'
import type { WorkerConfig } from '../../../../src/contracts/config.ts'
import { silent } from '../../../../src/log.ts'
import {
  type EngineOptions,
  type Engines,
  openEngines,
} from '../../../../src/runtime/services/worker/choose-backend.ts'
import { type Script, startOllamaStandIn } from '../../../helpers/ollama-stand-in/index.ts'

/** For the tests of a file: an Ollama that happens to be installed here takes no part, unless a test puts a folder of its own in front. */
export function withoutInstalledOllama(): { install(folder: string): void } {
  const path = process.env.PATH
  beforeEach(() => {
    process.env.PATH = '/usr/bin/nothing-here'
  })
  afterEach(() => {
    process.env.PATH = path
  })
  return {
    install(folder) {
      process.env.PATH = `${folder}:${path}`
    },
  }
}

export async function standIn(
  models: Record<string, Script> = {},
  o: { port?: number; version?: string } = {},
) {
  const ollama = await startOllamaStandIn({ models, ...o })
  onTestFinished(() => ollama.stop())
  return ollama
}

export async function open(
  url: string,
  config: Partial<WorkerConfig> & { model?: string } = {},
  more: Partial<EngineOptions> = {},
) {
  const changed = vi.fn()
  const { model, ...rest } = config
  const engines = await openEngines({
    config: {
      services: {},
      listen: { socket: '' },
      name: 'w1',
      slots: 2,
      backend: 'auto',
      ollama: { url, ...(model && { model }) },
      ...rest,
    },
    log: silent,
    changed,
    probeMs: 20,
    ...more,
  })
  onTestFinished(() => engines.close())
  return { engines, changed }
}

export const engineOf = (engines: Engines) => `${engines.current().engine} ${engines.current().defaultModel}`

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}
