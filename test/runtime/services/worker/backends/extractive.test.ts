import { expect, test } from 'vitest'
import type { Passage } from '../../../../../src/contracts/ask.ts'
import { Extractive } from '../../../../../src/runtime/services/worker/backends/extractive.ts'
import { request, textOf } from '../running.ts'

const passage = (text: string, heading?: string): Passage => ({
  kb: 'docs',
  document: 'scale.md',
  title: 'Scaling',
  position: { line: 1, ...(heading && { heading }) },
  text,
  score: 1,
})

const NODES = passage(
  `Nodes are machines. To add a node, name it in cluster.yaml and run the command again:

\`\`\`
llmagentos cluster up
\`\`\`

It changes only the new machine. The weather does not matter.`,
  'Adding a node',
)
const KEYS = passage('A key is shown once. Revoke a key with `llmagentos key revoke ID`.', 'Keys')

async function ask(question: string, passages: Passage[], sampling = {}) {
  const backend = new Extractive({ worker: 'w1' })
  const frames = []
  const body = request({ messages: [{ role: 'user', content: question }], passages, sampling })
  for await (const f of backend.generate(body, { signal: new AbortController().signal })) frames.push(f)
  const end = frames.at(-1)
  if (end?.type !== 'end') throw new Error('no end frame')
  return { text: textOf(frames), end, frames }
}

test('quotes the sentence that fits, with its number and the command beside it, and says that it quotes', async () => {
  const { text, end } = await ask('How do I add a node?', [KEYS, NODES])
  expect(text).toMatch(/^From the documentation:/)
  expect(text).toContain('To add a node, name it in cluster.yaml and run the command again: [2]')
  expect(text).toContain('```\nllmagentos cluster up\n```')
  expect(text).not.toContain('weather')
  expect(text).not.toContain('key')
  expect(end).toMatchObject({ finish: 'stop', cites: [2] })
})

test('is the same each time, and comes in pieces', async () => {
  const first = await ask('add nodes', [NODES, KEYS])
  const second = await ask('add nodes', [NODES, KEYS])
  expect(second.text).toBe(first.text)
  expect(first.frames.length).toBeGreaterThan(2)
})

test('says plainly that nothing fits, and what to do', async () => {
  for (const [question, passages] of [
    ['What is the capital of France?', [NODES, KEYS]],
    ['How do I add a node?', []],
    ['', [NODES]],
  ] as const) {
    const { text, end } = await ask(question, [...passages])
    expect(text).toContain('llmagentos kb add')
    expect(text).toContain('cluster up --model')
    expect(end).toMatchObject({ finish: 'stop', cites: [] })
  }
})

test('keeps to the length and the stop texts that were asked for', async () => {
  const short = await ask('How do I add a node?', [NODES], { maxTokens: 5 })
  expect(Buffer.byteLength(short.text)).toBeLessThanOrEqual(20)
  expect(short.end).toMatchObject({ finish: 'length', usage: { completionTokens: 5 } })
  const stopped = await ask('How do I add a node?', [NODES], { stop: ['cluster.yaml'] })
  expect(stopped.text.endsWith('name it in ')).toBe(true)
  expect(stopped.end.finish).toBe('stop')
})

test('refuses a schema, which quotes cannot follow', async () => {
  await expect(ask('x', [NODES], { format: 'json' })).rejects.toMatchObject({ status: 400 })
  await expect(ask('x', [NODES], { format: { type: 'object' } })).rejects.toMatchObject({ status: 400 })
})

test('quotes at most five sentences, in the order of the passages, none twice', async () => {
  const many = passage(Array.from({ length: 40 }, (_, i) => `Node ${i} may be added to a cluster.`).join(' '))
  const { text, end } = await ask('add a node', [many, many])
  const quotes = text.split('\n\n').slice(1)
  expect(quotes.length).toBeLessThanOrEqual(5)
  expect(new Set(quotes).size).toBe(quotes.length)
  expect(end.cites).toEqual([1])
})

test('reads texts without spaces between words, and survives one that is only marks', async () => {
  const { end } = await ask('节点怎么添加', [passage('添加节点:运行命令。其他内容。')])
  expect(end.cites).toEqual([1])
  expect((await ask('??? !!!', [NODES])).end.cites).toEqual([])
})

test('sums up a text that came with the question, in its own sentences', async () => {
  const text =
    'The harbour was rebuilt in 1950. Its harbour master keeps the harbour log. Somebody had lunch. The log names every ship in the harbour.'
  const given = { ...passage(text), kb: 'input', document: 'stdin', title: 'what was piped in' }
  const { text: answer, end } = await ask('sum up', [given])
  expect(answer).toMatch(/^From the text that was given:/)
  expect(answer).toContain('harbour log')
  expect(answer).not.toContain('lunch')
  expect(end.cites).toEqual([1])
})
