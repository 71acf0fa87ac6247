import { expect, test } from 'vitest'
import type { AskRequest } from '../../../../src/contracts/ask.ts'
import { notFound, Refusal } from '../../../../src/runtime/refusal.ts'
import { gather } from '../../../../src/runtime/services/llm/context.ts'
import { understand } from '../../../../src/runtime/services/llm/input.ts'
import { knownOf } from '../../../../src/runtime/services/llm/known.ts'
import type { Asking } from '../../../../src/runtime/services/llm/parts.ts'
import { asking } from './asking.ts'

/** A request whose every call to the data service does what `data` does: a stand-in for the service. */
function beside(data: () => Promise<never>) {
  const given = asking()
  let calls = 0
  const called = () => {
    calls += 1
    return data()
  }
  const parts = { ...given.parts, knowledge: { search: called }, calls: { call: called } }
  const all = { ...given, parts: parts as unknown as Asking['parts'] }
  return {
    calls: () => calls,
    gathered: (request: AskRequest) => gather(understand(request, all), all),
    known: (request: AskRequest, ms: number) => knownOf(understand(request, all), all, ms),
  }
}

const away = async () => {
  throw new Refusal(503, 'unavailable', 'The data service cannot be reached.')
}
const silent = () => new Promise<never>(() => {})

test('a question without session and knowledge never calls the data service', async () => {
  const { gathered, calls } = beside(silent)
  const { prompt, notes } = await gathered({ question: 'q', kb: [], model: 'big' })
  expect(prompt).toEqual([{ role: 'user', content: 'q' }])
  expect(notes).toEqual([])
  await gathered({ messages: [{ role: 'user', content: 'q' }], model: 'big' })
  await gathered({ question: 'q', material: 'a text', model: 'big' })
  expect(calls()).toBe(0)
})

test('a model answers without knowledge that cannot be reached, and says so', async () => {
  const { prompt, notes } = await beside(away).gathered({ question: 'q', model: 'big' })
  expect(prompt).toEqual([{ role: 'user', content: 'q' }])
  expect(notes).toEqual([
    'Answered without knowledge, which cannot be reached: The data service cannot be reached.',
  ])
})

test('a model waits for a silent data service for its share of the time alone', async () => {
  const { passages, notes } = await beside(silent).known({ question: 'q', model: 'big' }, 50)
  expect(passages).toEqual([])
  expect(notes[0]).toContain('did not answer within 0.05 s')
})

test('the engine that quotes knowledge is refused its question when there is none, with the reason', async () => {
  await expect(beside(away).gathered({ question: 'q', model: 'extractive' })).rejects.toMatchObject({
    status: 503,
    code: 'knowledge',
    message: expect.stringContaining('knowledge cannot be reached: The data service cannot be reached.'),
  })
})

test('a knowledge base that is not there is the mistake of the asker, and stays one', async () => {
  const { gathered } = beside(async () => {
    throw notFound('knowledge base x that you may read')
  })
  await expect(gathered({ question: 'q', kb: ['x'], model: 'big' })).rejects.toMatchObject({ status: 404 })
})

test('a session whose history cannot be read is refused, not begun anew', async () => {
  await expect(
    beside(away).gathered({ question: 'q', kb: [], session: 's', model: 'big' }),
  ).rejects.toMatchObject({ status: 503 })
})
