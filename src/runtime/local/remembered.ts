import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GatewayConfig, ProcessConfig, WorkerConfig } from '../../contracts/config.ts'
import type { Asked } from './config.ts'
import type { Paths } from './paths.ts'

const fileOf = (paths: Paths) => join(paths.state, 'services.json')

/** Writes a config to start from; it counts as the cluster's own once `keep()` is called, after the start went well. */
export function propose(paths: Paths, config: ProcessConfig): { file: string; keep(): void; drop(): void } {
  const file = `${fileOf(paths)}.${randomUUID()}`
  writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o600 })
  return { file, keep: () => renameSync(file, fileOf(paths)), drop: () => rmSync(file, { force: true }) }
}

/** How the cluster was last started, and what was asked for then. */
export function remembered(paths: Paths): { config: ProcessConfig; asked: Asked } | undefined {
  try {
    const config = JSON.parse(readFileSync(fileOf(paths), 'utf8')) as ProcessConfig
    const of = <C>(name: string) => config.services.find(s => s.name === name)!.config as C
    const model = of<WorkerConfig>('worker').ollama.model
    return { config, asked: { port: of<GatewayConfig>('gateway').port, ...(model && { model }) } }
  } catch {
    return undefined
  }
}
