import type { ServiceName } from '../../../../src/contracts/identity.ts'
import { silent } from '../../../../src/log.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { Metrics } from '../../../../src/runtime/metrics.ts'
import { notFound } from '../../../../src/runtime/refusal.ts'
import { OutputFilters } from '../../../../src/runtime/services/llm/output.ts'
import type { Asking } from '../../../../src/runtime/services/llm/parts.ts'
import type { Candidate } from '../../../../src/runtime/services/llm/workers.ts'

const WINDOWS: Record<string, { engine: string; contextTokens?: number }> = {
  small: { engine: 'ollama', contextTokens: 2048 },
  big: { engine: 'ollama', contextTokens: 131_072 },
  extractive: { engine: 'extractive' },
}

interface Given {
  allowed?: string[]
  caller?: ServiceName
  filters?: ConstructorParameters<typeof OutputFilters>[0]
  maxAnswerChars?: number
}

/** One request with workers that are only known by name: for the stages that call nobody. */
export function asking(o: Given = {}): Asking {
  const workers = {
    candidates(wanted = 'small') {
      const known = WINDOWS[wanted]
      if (!known) throw notFound(`model ${wanted}`)
      return {
        model: wanted,
        candidates: [{ name: 'w', model: wanted, loaded: true, ...known } as Candidate],
      }
    },
  }
  return {
    who: { user: 'ann', key: 'k', role: 'user', scopes: ['ask'], ...(o.allowed && { models: o.allowed }) },
    hop: { ...ownHop(), caller: o.caller ?? 'gateway' },
    parts: {
      workers,
      log: silent,
      filters: new OutputFilters(o.filters ?? [], new Metrics('test')),
      maxAnswerChars: o.maxAnswerChars ?? 1_000,
    } as unknown as Asking['parts'],
  }
}
