import { expect, test } from 'vitest'
import type { Worked } from '../../../../src/runtime/services/llm/inference.ts'
import { Refinement } from '../../../../src/runtime/services/llm/output.ts'
import { asking } from './asking.ts'

const END: Worked = { type: 'end', finish: 'stop', usage: { promptTokens: 1, completionTokens: 1 } }

async function refined(
  pieces: string[],
  o: Parameters<typeof asking>[0] = {},
): Promise<{ text: string; finish?: string; frames: number }> {
  const refinement = new Refinement(asking(o).parts)
  const worked: Worked[] = [...pieces.map(text => ({ type: 'text' as const, text })), END]
  let text = ''
  let frames = 0
  let finish: string | undefined
  for (const w of worked) {
    for (const frame of refinement.take(w)) {
      if (frame.type === 'text') {
        text += frame.text
        frames += 1
      }
      if (frame.type === 'end') finish = frame.finish
    }
    if (finish) break
  }
  return { text, finish, frames }
}

const CARD = { name: 'card', pattern: '\\d{4}-\\d{4}', act: 'mask' as const }

test('without filters every piece goes out as it comes', async () => {
  expect(await refined(['a', 'b', 'c'])).toEqual({ text: 'abc', finish: 'stop', frames: 3 })
})

test('a pattern is masked also when it came in pieces', async () => {
  const { text } = await refined(['my card is 12', '34-5', '678, thanks'], { filters: [CARD] })
  expect(text).toBe('my card is [removed], thanks')
})

test('a pattern is masked wherever it stands in a long answer that comes letter by letter', async () => {
  const whole = `${'x '.repeat(400)}1234-5678${' y'.repeat(400)}`
  const { text } = await refined([...whole], { filters: [CARD], maxAnswerChars: 10_000 })
  expect(text).toBe(whole.replace('1234-5678', '[removed]'))
})

test('a match of any length is masked whole, although it came letter by letter', async () => {
  const whole = `the key is secret-${'k'.repeat(700)} and nothing else`
  const filters = [{ name: 'key', pattern: 'secret-\\w+', act: 'mask' as const }]
  const { text } = await refined([...whole], { filters, maxAnswerChars: 10_000 })
  expect(text).toBe('the key is [removed] and nothing else')
})

test('a blocked pattern withholds the answer and names the filter, not the text', async () => {
  const refusal = refined(['the code is 1234-5678'], { filters: [{ ...CARD, act: 'block' }] })
  await expect(refusal).rejects.toThrow('withheld: it matched the output filter card')
})

test('control characters of a model do not reach a terminal', async () => {
  expect((await refined(['a\u001b[2Jb\u0000c'])).text).toBe('a[2Jbc')
})

test('an answer over the length limit ends with finish length', async () => {
  expect(await refined(['abc', 'def', 'ghi'], { maxAnswerChars: 5 })).toMatchObject({
    text: 'abcde',
    finish: 'length',
  })
})

test('a filter that is no regular expression is named at the start', () => {
  expect(() => asking({ filters: [{ name: 'bad', pattern: '(', act: 'mask' }] })).toThrow(
    'output filter bad is not a regular expression',
  )
})
