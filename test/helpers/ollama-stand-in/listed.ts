import type { Script } from './script.ts'
import type { Held } from './state.ts'

/** How /api/tags, /api/ps and /api/show say a model. */
export const tag = (name: string, { script, digest }: Held) => ({
  name,
  model: name,
  modified_at: script.modified ?? '2026-01-01T00:00:00.000000001Z',
  size: 4_683_075_271,
  digest,
  details: details(script),
  ...(script.remoteHost && { remote_host: script.remoteHost, remote_model: name }),
})

export const newestFirst = (a: { modified_at: string }, b: { modified_at: string }) =>
  b.modified_at.localeCompare(a.modified_at)

export const running = (name: string, { script, digest }: Held) => ({
  name,
  model: name,
  size: 5_137_025_024,
  digest,
  details: details(script),
  expires_at: new Date(Date.now() + 300_000).toISOString(),
  size_vram: 5_137_025_024,
  context_length: script.loadedContext ?? 4096,
})

const details = (script: Script) => ({
  parent_model: '',
  format: 'gguf',
  family: script.dimensions ? 'nomic-bert' : 'llama',
  families: [script.dimensions ? 'nomic-bert' : 'llama'],
  parameter_size: script.dimensions ? '137M' : '8.0B',
  quantization_level: 'Q4_K_M',
})

export function shown({ script }: Held) {
  const capabilities = script.capabilities ?? [script.dimensions ? 'embedding' : 'completion']
  const family = script.dimensions ? 'nomic-bert' : 'llama'
  return {
    modelfile: '',
    template: '{{ .Prompt }}',
    details: details(script),
    model_info: {
      'general.architecture': family,
      [`${family}.context_length`]: script.contextLength ?? 131_072,
    },
    ...(script.capabilities !== null && { capabilities }),
    modified_at: '2026-01-01T00:00:00Z',
  }
}
