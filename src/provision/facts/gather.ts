import { randomBytes } from 'node:crypto'
import { reasonOf } from '../../errors.ts'
import type { Connection } from '../connections/connection.ts'
import { PROGRAM } from './ask.ts'
import { type Answer, type Fact, type Facts, UnknownFact } from './fact.ts'
import { type Raw, readAnswers, script } from './script.ts'

// What perl and sudo themselves may need, beyond the deadlines of the facts and the time in which each that is late is ended.
const SLACK_MS = 15_000
const ENDING_MS = 2_000
const KEEP_BYTES = 32 * 1024 * 1024

export interface Asked {
  connection: Connection
  facts: Fact<unknown>[]
}

export interface Gathered {
  facts: Facts
  /** Nodes that could not be asked at all, and what was thrown. */
  unreached: Map<string, unknown>
}

/** Asks all nodes at once, each everything in one script. Never throws for a node: what it did not say is unknown, with the reason. */
export async function gather(asked: Asked[], o: { signal?: AbortSignal } = {}): Promise<Gathered> {
  const unreached = new Map<string, unknown>()
  const answers = await Promise.all(
    asked.map(async a => {
      const { node } = a.connection
      try {
        return [node, await askOne(a, o.signal)] as const
      } catch (thrown) {
        unreached.set(node, thrown)
        const raw: Raw = { ok: false, why: reasonOf(thrown) }
        return [node, new Map(a.facts.map(fact => [fact.id, raw]))] as const
      }
    }),
  )
  o.signal?.throwIfAborted()
  return { facts: factsFrom(new Map(answers)), unreached }
}

/** Facts from what nodes said, by node and by the fact's id. */
export function factsFrom(answers: Map<string, Map<string, Raw>>): Facts {
  const parsed = new Map<string, Answer<unknown>>()
  const peek = <T>(node: string, fact: Fact<T>): Answer<T> => {
    const key = `${node}\0${fact.id}`
    const answer = parsed.get(key) ?? read(answers.get(node)?.get(fact.id), fact)
    parsed.set(key, answer)
    return answer as Answer<T>
  }
  return {
    peek,
    get(node, fact) {
      const answer = peek(node, fact)
      if (!answer.known) throw new UnknownFact(node, { fact: fact.id, why: answer.why })
      return answer.value
    },
  }
}

async function askOne({ connection, facts }: Asked, signal?: AbortSignal): Promise<Map<string, Raw>> {
  const unique = [...new Map(facts.map(fact => [fact.id, fact])).values()]
  const nonce = randomBytes(12).toString('hex')
  const heard = new Map<string, number>()
  const ended = await connection.exec(PROGRAM, {
    root: true,
    stdin: script(unique, nonce),
    deadlineMs: unique.reduce((sum, fact) => sum + fact.deadlineMs + ENDING_MS, SLACK_MS),
    keepBytes: KEEP_BYTES,
    signal,
    onLine: line => {
      if (line.startsWith(nonce)) heard.set(line, Date.now())
    },
  })
  return readAnswers({ ended, facts: unique, nonce, heard })
}

function read<T>(raw: Raw | undefined, fact: Fact<T>): Answer<T> {
  if (!raw) return { known: false, why: 'it was not asked' }
  if (!raw.ok) return { known: false, why: raw.why }
  try {
    return { known: true, value: fact.parse(raw.stdout, raw.heardMs) }
  } catch (thrown) {
    return { known: false, why: `its answer was not understood: ${reasonOf(thrown)}` }
  }
}
