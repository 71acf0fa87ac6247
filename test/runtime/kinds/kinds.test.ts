import { expect, test } from 'vitest'
import type { AskAnswer, AskRequest } from '../../../src/contracts/ask.ts'
import { silent } from '../../../src/log.ts'
import { classify, listed } from '../../../src/runtime/kinds/classify.ts'
import { code, fenced } from '../../../src/runtime/kinds/code.ts'
import { embed } from '../../../src/runtime/kinds/embed.ts'
import { extract } from '../../../src/runtime/kinds/extract.ts'
import { generate } from '../../../src/runtime/kinds/generate.ts'
import { type Kind, TaskFailure, type Tools } from '../../../src/runtime/kinds/kind.ts'
import { qa } from '../../../src/runtime/kinds/qa.ts'
import { mainSentences } from '../../../src/runtime/kinds/sentences.ts'
import { summarize } from '../../../src/runtime/kinds/summarize.ts'
import { splitText } from '../../../src/runtime/kinds/text.ts'

/** Stand-in tools: the answers of a model as the test scripts them, and what was asked. */
function tools(answers: string[] | ((r: AskRequest) => string), engine = 'ollama') {
  const asked: AskRequest[] = []
  const said: string[] = []
  const t = {
    id: 'T',
    attempt: 1,
    signal: new AbortController().signal,
    log: silent,
    progress: (text: string) => said.push(text),
    ask: async (r: AskRequest) => {
      asked.push(r)
      const answer = typeof answers === 'function' ? answers(r) : (answers.shift() ?? 'nothing more')
      return { answer, engine, model: 'm', sources: [], finish: 'stop' } as unknown as AskAnswer
    },
    embed: async ({ input }: { input: string[] }) => ({
      model: 'e',
      vectors: input.map(i => [i.length, 1]),
      usage: { promptTokens: 1, completionTokens: 0 },
    }),
    data: {
      get: async (name: string) => Buffer.from(name === 'binary' ? [0xff, 0xfe, 0x80] : `text of ${name}`),
      put: async () => 'x',
    },
  } as unknown as Tools
  return { t, asked, said }
}

test.each([
  [generate, { prompt: 'a mail' }],
  [code, { instructions: 'a loop' }],
  [classify, { text: 'x', labels: ['a', 'b'] }],
  [extract, { text: 'x', fields: ['a'] }],
] as [
  Kind,
  object,
][])('a kind that writes fails clearly on an engine that only quotes: %#', async (kind, params) => {
  const { t, asked } = tools(['a quote'], 'extractive')
  const failed = kind.run(params, t)
  await expect(failed).rejects.toThrow(TaskFailure)
  await expect(failed).rejects.toMatchObject({
    message: expect.stringMatching(kind.name),
    next: expect.stringMatching(/--model/),
  })
  expect(asked.length).toBe(1)
})

test('qa hands on the answer with its sources and asks only the named knowledge bases', async () => {
  const { t, asked } = tools(['so it is'])
  expect(await qa.run({ question: 'why?', kb: ['docs'] }, t)).toMatchObject({
    answer: 'so it is',
    sources: [],
  })
  expect(asked).toEqual([{ question: 'why?', kb: ['docs'] }])
})

test('a long text is summed up by parts, then as a whole', async () => {
  const text = Array.from({ length: 900 }, (_, i) => `Sentence number ${i} says something of its own.`).join(
    ' ',
  )
  const { t, asked, said } = tools(r => `short of ${r.messages!.at(-1)!.content.length}`)
  const result = (await summarize.run({ text }, t)) as { summary: string }
  expect(asked.length).toBeGreaterThan(3)
  for (const a of asked) expect(a.messages!.at(-1)!.content.length).toBeLessThanOrEqual(12_000)
  expect(result.summary).toMatch(/^short of/)
  expect(said.at(-1)).toMatch(/summed up 4 of 4 parts/)
})

test('without a model a summary is the main sentences, and says so', async () => {
  const text =
    'Ceph stores objects. Tea is nice. Ceph stores objects on machines. Ceph heals objects and machines.'
  const { t, asked } = tools(['quotes'], 'extractive')
  const result = await summarize.run({ text, sentences: 2 }, t)
  expect(result).toMatchObject({ engine: 'extractive', note: expect.stringMatching(/No language model/) })
  expect((result as { summary: string }).summary).not.toMatch(/Tea/)
  expect(asked.length).toBe(1)
})

test('an object is read as text, and one that is not text is refused', async () => {
  const { t, asked } = tools(['ok'])
  await summarize.run({ object: 'notes.md' }, t)
  expect(asked[0]!.messages!.at(-1)!.content).toBe('text of notes.md')
  await expect(summarize.run({ object: 'binary' }, t)).rejects.toThrow(/not text in UTF-8/)
  await expect(summarize.run({}, t)).rejects.toThrow(/either `text` or `object`/)
})

test('a label comes back as it was given, one that was not given is a failure', async () => {
  const ok = tools(['{"label": " PRAISE ", "because": "it thanks"}'])
  expect(await classify.run({ text: 'thanks', labels: ['Praise', 'Blame'] }, ok.t)).toMatchObject({
    label: 'Praise',
    because: 'it thanks',
  })
  expect(ok.asked[0]!.sampling!.format).toMatchObject({
    properties: { label: { enum: ['Praise', 'Blame'] } },
  })
  const odd = tools(['{"label": "something"}'])
  await expect(classify.run({ text: 'x', labels: ['a', 'b'] }, odd.t)).rejects.toThrow(/none of the labels/)
})

test('facts that do not fit the schema are asked for once more, with what is wrong', async () => {
  const schema = { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] }
  const mended = tools(['{"age": "old"}', '```json\n{"age": 36}\n```'])
  expect(await extract.run({ text: 'x', schema }, mended.t)).toMatchObject({ data: { age: 36 } })
  expect(mended.asked[1]!.messages!.at(-1)!.content).toMatch(/It is wrong: \/age must be integer/)
  const never = tools(['no', 'json'])
  await expect(extract.run({ text: 'x', schema }, never.t)).rejects.toThrow(/twice: it is not JSON/)
  await expect(extract.run({ text: 'x' }, tools([]).t)).rejects.toThrow(/`fields` or `schema`/)
})

test('code comes out of its fence, with what was said around it', () => {
  expect(fenced('Here:\n```js\nlet a = 1\n```\nThat is all.')).toEqual({
    code: 'let a = 1',
    language: 'js',
    notes: 'Here:\n\nThat is all.',
  })
  expect(fenced('let a = 1', 'js')).toEqual({ code: 'let a = 1', language: 'js' })
  expect(fenced('```\ncut off').code).toBe('cut off')
})

test('texts are embedded in batches, in their order', async () => {
  const texts = Array.from({ length: 150 }, (_, i) => 'x'.repeat(i + 1))
  const { t, said } = tools([])
  const result = (await embed.run({ texts }, t)) as { vectors: number[][]; dims: number }
  expect(result.vectors.map(v => v[0])).toEqual(texts.map(x => x.length))
  expect(result.dims).toBe(2)
  expect(said.at(-1)).toBe('150 of 150 texts')
})

test('splitting loses nothing, keeps to the size and cuts between paragraphs where it can', () => {
  const paragraph = 'Some words stand here. And more of them.'
  const text = Array.from({ length: 40 }, (_, i) => `${i} ${paragraph}`).join('\n\n')
  const parts = splitText(text, 300)
  expect(parts.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
  for (const part of parts) {
    expect(part.length).toBeLessThanOrEqual(300)
    expect(part).toMatch(/them\.$/)
  }
  expect(splitText('y'.repeat(1000), 300).map(p => p.length)).toEqual([300, 300, 300, 100])
  expect(splitText('  ', 10)).toEqual([])
})

test('main sentences keep their order, and a short text is kept whole', () => {
  expect(mainSentences('One. Two.', 5)).toEqual(['One.', 'Two.'])
  expect(mainSentences('Cats purr loudly. Rain. Cats sleep. Cats purr and sleep loudly.', 2)).toEqual([
    'Cats purr loudly.',
    'Cats purr and sleep loudly.',
  ])
})

test('lists of words in a sentence', () => {
  expect(listed('a, b or c')).toEqual(['a', 'b', 'c'])
  expect(listed('a, b, and c')).toEqual(['a', 'b', 'c'])
  expect(listed('red/green')).toEqual(['red', 'green'])
})
