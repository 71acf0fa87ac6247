import { type Facts, UnknownFact } from '../facts/fact.ts'
import { os } from '../facts/os.ts'
import type { Architecture } from './pinned.ts'

const WORDS: Record<string, Architecture> = { amd64: 'x64', arm64: 'arm64' }

/** Of a node, in Node's words. Throws UnknownFact for a processor that we have no programs for. */
export function architectureOf(facts: Facts, node: string): Architecture {
  const { architecture } = facts.get(node, os)
  const known = WORDS[architecture]
  if (known) return known
  throw new UnknownFact(node, {
    fact: 'a processor that we have programs for',
    why: `${architecture} is neither amd64 nor arm64`,
  })
}
