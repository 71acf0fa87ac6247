import type { WorkerConfig } from '../../../contracts/config.ts'
import type { KeptOllama } from './ollama-process.ts'

/** Why there is no model to answer with, and what to do about it. */
export function whyNoModel(
  { backend, ollama: { url, model } }: WorkerConfig,
  { up, own }: { up: boolean; own: KeptOllama | undefined },
): string {
  if (backend === 'extractive') return 'This worker is configured to quote documents only.'
  if (up) return `Ollama has no model: \`llmagentos cluster up --model ${model ?? 'NAME'}\` downloads one.`
  if (own) return own.says
  return `No Ollama answers at ${url}${isLoopback(url) ? ' and none is installed' : ''}: install it, then \`llmagentos cluster up --model NAME\`.`
}

export function note(...parts: (string | undefined)[]): { note?: string } {
  const said = parts.filter(p => p !== undefined)
  return said.length ? { note: said.join(' ') } : {}
}

export const isLoopback = (url: string) => /^(?:127\.|localhost$|\[::1\]$)/.test(new URL(url).hostname)
