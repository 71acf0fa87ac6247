import { expect, test } from 'vitest'
import { HOP } from '../../../../src/contracts/hop.ts'
import { appendTurn } from '../../../../src/contracts/sessions.ts'
import { silent } from '../../../../src/log.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { Refusal } from '../../../../src/runtime/refusal.ts'
import { Turns } from '../../../../src/runtime/services/llm/turns.ts'
import type { Calls } from '../../../../src/runtime/transport.ts'

const TURN = { saw: 0 } as unknown as Parameters<Turns['keep']>[1]

function turns(answer: (attempt: number) => Promise<object>) {
  const writers: string[] = []
  const call = (route: unknown, _hop: unknown, o: { headers: Record<string, string> }) => {
    expect(route).toBe(appendTurn)
    writers.push(o.headers[HOP.writer]!)
    return answer(writers.length)
  }
  return { turns: new Turns({ calls: { call } as unknown as Calls, log: silent }), writers }
}

test('a turn that the store took is stored', async () => {
  const t = turns(async () => ({ turn: 1 }))
  expect(await t.turns.keep('s', TURN, ownHop())).toBe(true)
})

test('after a fault of the store the turn is tried again under the same writer', async () => {
  const t = turns(async attempt => {
    if (attempt < 3) throw new Refusal(503, 'unavailable', 'away')
    return { turn: 1 }
  })
  expect(await t.turns.keep('s', TURN, ownHop())).toBe(true)
  expect(t.writers).toHaveLength(3)
  expect(new Set(t.writers).size).toBe(1)
})

test('a slow store does not hold the answer, and gets the turn all the same', async () => {
  let kept: (() => void) | undefined
  const t = turns(() => new Promise(resolve => (kept = () => resolve({ turn: 1 }))))
  expect(await t.turns.keep('s', TURN, ownHop())).toBe(false)
  expect(t.writers).toHaveLength(1)
  kept!()
  t.turns.stop()
})

test('what the store refuses for good is not tried again', async () => {
  const t = turns(async () => {
    throw new Refusal(400, 'bad_request', 'no')
  })
  expect(await t.turns.keep('s', TURN, ownHop())).toBe(false)
  expect(t.writers).toHaveLength(1)
})
