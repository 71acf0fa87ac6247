import type { Ended } from '../connections/connection.ts'
import { ASK } from './ask.ts'
import type { Fact } from './fact.ts'

/** What a node said to one fact, before it is parsed. `thrown` where the whole node did not answer. */
export type Raw =
  | { ok: true; stdout: string; heardMs?: number }
  | { ok: false; why: string; thrown?: unknown }

/**
 * What `PROGRAM` reads to ask all questions. Each runs in POSIX sh and ends at its own deadline; a random word frames the answers, so that
 * no output can pass for a frame.
 */
export function script(facts: Fact<unknown>[], nonce: string): string {
  const words = facts.flatMap(fact => [String(fact.deadlineMs / 1000), fact.script])
  return `${ASK}__END__\n${[nonce, ...words].map(word => `${word}\0`).join('')}`
}

interface Said {
  ended: Ended
  facts: Fact<unknown>[]
  nonce: string
  /** When each line that begins with the nonce came in, milliseconds since the epoch. */
  heard: Map<string, number>
}

/** Takes the answers apart again; a fact whose frame is not whole is unknown. */
export function readAnswers(said: Said): Map<string, Raw> {
  return new Map(said.facts.map((fact, i) => [fact.id, answer(said, { fact, i })]))
}

function answer({ ended, nonce, heard }: Said, o: { fact: Fact<unknown>; i: number }): Raw {
  const { stdout, stderr } = ended
  const begin = `${nonce} begin ${o.i}\n`
  const from = stdout.indexOf(begin)
  const end = `\n${nonce} end ${o.i} `
  const to = stdout.indexOf(end, from)
  if (from < 0 || to < 0)
    return { ok: false, why: tail(stderr) || `the script ended early (exit ${ended.code})` }
  const code = Number.parseInt(stdout.slice(to + end.length), 10)
  if (code === 0)
    return {
      ok: true,
      stdout: stdout.slice(from + begin.length, to),
      heardMs: heard.get(`${end.trim()} 0`),
    }
  if (code === 124) return { ok: false, why: `no answer within ${o.fact.deadlineMs / 1000} s` }
  const complained = stderr.slice(stderr.indexOf(begin) + begin.length).split(`${nonce} begin`)[0] ?? ''
  return { ok: false, why: `${tail(complained) || 'it said nothing'} (exit ${code})` }
}

const tail = (text: string) => text.trim().split('\n').slice(-2).join('; ').slice(-300)
