import { describe, expect, test } from 'vitest'
import { wrongWith } from '../../../src/runtime/kinds/check.ts'
import { loadKind, loadKinds } from '../../../src/runtime/kinds/index.ts'
import { readByRules, sayUnderstood } from '../../../src/runtime/kinds/parse.ts'

const kinds = await loadKinds()

describe.each(kinds.map(k => [k.name, k] as const))('the kind %s', (name, kind) => {
  test('is found by its name, and says in one sentence what it does', async () => {
    expect(await loadKind(name)).toBe(kind)
    expect(kind.summary).toMatch(/^[A-Z][^.]+$/)
  })

  test('has examples that fit its own parameters and are read as it', () => {
    expect(kind.examples.length).toBeGreaterThan(0)
    for (const e of kind.examples) {
      expect(wrongWith(kind, e.params), e.text).toBeUndefined()
      expect(readByRules(e.text, kinds)).toEqual({ kind: name, params: e.params })
    }
  })

  test('reads its own examples by its rule alone, where it has one', () => {
    for (const e of kind.examples) if (kind.read) expect(kind.read(e.text)?.params).toEqual(e.params)
  })

  test('refuses a parameter it does not know', () => {
    const wrong = wrongWith(kind, { ...(kind.examples[0]!.params as object), surely_unknown: 1 })
    expect(wrong).toMatch(/no property surely_unknown/)
  })
})

test.each([
  ['summarise: one two three', 'summarize', { text: 'one two three' }],
  ['TL;DR the object a/b.md', 'summarize', { object: 'a/b.md' }],
  ['what is a worker?', 'qa', { question: 'what is a worker?' }],
  ['Is it down', 'qa', { question: 'Is it down' }],
  ['translate to German: good evening', 'generate', { prompt: 'translate to German: good evening' }],
  ['a haiku about rain', 'generate', { prompt: 'a haiku about rain' }],
  [
    'write a bash script that counts lines',
    'code',
    { instructions: 'write a bash script that counts lines', language: 'bash' },
  ],
  ['write quicksort in rust', 'code', { instructions: 'write quicksort in rust', language: 'rust' }],
  ['write a poem about a class of children', 'generate', undefined],
  ['write a letter about python snakes', 'generate', undefined],
  ['write a poem about rain', 'generate', { prompt: 'write a poem about rain' }],
  ['classify into spam or ham: buy now', 'classify', { labels: ['spam', 'ham'], text: 'buy now' }],
  [
    'extract the names and places from: Ada in London',
    'extract',
    { fields: ['names', 'places'], text: 'Ada in London' },
  ],
  ['embed some words', 'embed', { texts: ['some words'] }],
])('%j is read as %s', (text, kind, params) => {
  const read = readByRules(text, kinds)
  expect(read?.kind).toBe(kind)
  if (params) expect(read?.params).toEqual(params)
})

test('the same words are read the same way, whatever stands in front of the list of kinds', () => {
  for (const text of ['how?', 'write a letter', 'sum up: a b c'])
    expect(readByRules(text, kinds.toReversed())).toEqual(readByRules(text, kinds))
})

test('words of any size and content are read or refused, never a crash', () => {
  for (const text of [
    '?',
    ':',
    'summarize',
    'classify as : x',
    'extract  from  ',
    '\u0000\u0007',
    'x'.repeat(100_000),
    '🙂',
  ])
    expect(() => readByRules(text, kinds)).not.toThrow()
})

test('the longest run of blanks is read as soon as anything else, wherever it stands', () => {
  const blanks = ' '.repeat(90_000)
  for (const text of [
    `extract${blanks}x`,
    `extract a${blanks}x`,
    `classify as${blanks}x`,
    `classify as a${blanks}b: x`,
    `ingest${blanks}x`,
    `ingest a${blanks}b into notes`,
    `please${blanks}x`,
    `? ${blanks}x`,
    `answer${blanks}x`,
    `write a${blanks}x`,
    'a '.repeat(45_000),
    `ingest ${'a in '.repeat(18_000)}`,
  ])
    readByRules(text, kinds)
})

test('what was understood is said in one short sentence', async () => {
  const kind = (await loadKind('summarize'))!
  expect(sayUnderstood(kind, { text: 'a'.repeat(500), sentences: 3 })).toMatch(
    /^Sum up a text: text "a+\.\.\."?, sentences 3\.$/,
  )
})
