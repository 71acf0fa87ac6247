import { expect, test } from 'vitest'
import type { AskRequest } from '../../../../src/contracts/ask.ts'
import { cleaned, understand } from '../../../../src/runtime/services/llm/input.ts'
import { asking } from './asking.ts'

const understood = (request: AskRequest, o: Parameters<typeof asking>[0] = {}) =>
  understand(request, asking(o))

test('a request without a question and without messages is refused, and one with both', () => {
  expect(() => understood({})).toThrow('either `question` or `messages`')
  expect(() => understood({ question: 'a', messages: [{ role: 'user', content: 'a' }] })).toThrow('not both')
})

test('a question of blanks and control characters counts as empty', () => {
  expect(() => understood({ question: ' \u0000\u001b \n' })).toThrow('The question is empty')
})

test('text comes out in one form: composed, with plain line ends, without control characters', () => {
  expect(cleaned('e\u0301\r\nx\ry\u0007\tz')).toBe('\u00e9\nx\ny\tz')
})

test('a session keeps its own history, so messages beside it are refused', () => {
  expect(() => understood({ session: 's', messages: [{ role: 'user', content: 'a' }] })).toThrow(
    'keeps its own history',
  )
})

test('a key with a list of models may use no other', () => {
  expect(() => understood({ question: 'a', model: 'big' }, { allowed: ['small'] })).toThrow(
    'may not use the model big',
  )
  expect(understood({ question: 'a', model: 'small' }, { allowed: ['small'] }).model).toBe('small')
})

test('the class of a public request is interactive, whatever it says', () => {
  expect(understood({ question: 'a', class: 'task' }, { caller: 'gateway' }).class).toBe('interactive')
  expect(understood({ question: 'a', class: 'task' }, { caller: 'executor' }).class).toBe('task')
})

test('a conversation gets no knowledge, except by the extractive engine', () => {
  const messages: AskRequest['messages'] = [{ role: 'user', content: 'a' }]
  expect(understood({ messages, model: 'small' }).kb).toEqual([])
  expect(understood({ messages, model: 'extractive' }).kb).toBeUndefined()
  expect(understood({ question: 'a', model: 'small' }).kb).toBeUndefined()
  expect(understood({ question: 'a', material: 'text' }).kb).toEqual([])
})

test('a question over the limit is refused with the number and with what to do', () => {
  expect(() => understood({ question: 'a'.repeat(200_001) })).toThrow(
    '200001 characters; 200000 are the most',
  )
})
