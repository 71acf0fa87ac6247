import { expect, test } from 'vitest'
import { CHUNK_CHARS, chunk } from '../../../../src/runtime/kinds/ingest/chunk.ts'
import { markdown } from '../../../../src/runtime/kinds/ingest/markdown.ts'
import { plainText } from '../../../../src/runtime/kinds/ingest/text.ts'

const seeds = Array.from({ length: 60 }, (_, i) => i + 1)

test.each(seeds)('every word of a random Markdown text is in a chunk or its headings (seed %i)', seed => {
  const text = randomMarkdown(randomFrom(seed))
  const { title, blocks } = markdown(text)
  const chunks = chunk(blocks, { title })
  const held = new Set(
    [title, ...chunks.flatMap(c => [c.text, c.position.heading])].join(' ').match(/[\p{L}\p{N}]+/gu),
  )
  const missing = (text.match(/[\p{L}\p{N}]+/gu) ?? []).filter(w => !held.has(w))
  expect(missing).toEqual([])
})

test.each(seeds)('the line of a chunk is where its text begins (seed %i)', seed => {
  const random = randomFrom(seed)
  const text = randomMarkdown(random)
  const lines = text.split('\n')
  for (const c of chunk(markdown(text).blocks)) {
    const first = c.text.split('\n')[0]!
    expect(lines[c.position.line! - 1]).toContain(first.trim())
  }
})

test.each(seeds)('chunks are of bounded length, in order, and the same each time (seed %i)', seed => {
  const text = randomMarkdown(randomFrom(seed))
  const chunks = chunk(markdown(text).blocks)
  expect(chunk(markdown(text).blocks)).toEqual(chunks)
  for (const c of chunks) if (!c.text.includes('```')) expect(c.text.length).toBeLessThanOrEqual(CHUNK_CHARS)
  const lines = chunks.map(c => c.position.line!)
  expect(lines).toEqual(lines.toSorted((a, b) => a - b))
})

test.each(
  seeds.slice(0, 20),
)('no character of a long paragraph is lost, and its pieces overlap (seed %i)', seed => {
  const random = randomFrom(seed)
  const text = sentences(random, 400)
  const chunks = chunk(plainText(text).blocks)
  expect(chunks.length).toBeGreaterThan(1)
  let reached = 0
  for (const c of chunks) {
    const at = text.indexOf(c.text, Math.max(0, reached - 400))
    expect(at).toBeGreaterThanOrEqual(0)
    expect(text.slice(reached, at).trim()).toBe('')
    reached = at + c.text.length
  }
  expect(text.slice(reached).trim()).toBe('')
  const overlaps = chunks.slice(1).filter((c, i) => chunks[i]!.text.includes(c.text.slice(0, 40)))
  expect(overlaps.length).toBe(chunks.length - 1)
})

test('a code block is never cut, however it looks inside', () => {
  const code = [
    '```sh',
    ...Array.from({ length: 120 }, (_, i) => `# line ${i}\n\nrun --number ${i}`),
    '```',
  ].join('\n')
  const chunks = chunk(markdown(`# A\n\nBefore.\n\n${code}\n\nAfter.\n`).blocks)
  expect(chunks.map(c => c.text)).toEqual(['Before.', code, 'After.'])
})

test('a short command stays with the sentence that introduces it', () => {
  const [only] = chunk(markdown('## Add a node\n\nRun:\n\n```sh\nup\n```\n').blocks)
  expect(only!.text).toBe('Run:\n\n```sh\nup\n```')
})

test('a chunk stands under one heading, named with those above it but the title', () => {
  const text = '# T\n\n## A\n\none\n\n### B\n\ntwo\n\n## C\n\nthree'
  const { title, blocks } = markdown(text)
  expect(chunk(blocks, { title }).map(c => c.position.heading)).toEqual(['A', 'A > B', 'C'])
})

test('a heading with nothing under it is not lost', () => {
  const { title, blocks } = markdown('# T\n\n## Empty\n\n## Full\n\ntext\n\n## Last\n')
  expect(chunk(blocks, { title }).map(c => c.text)).toEqual(['## Empty', 'text', '## Last'])
})

test('underlined headings, front matter, rules and a # in code are read as what they are', () => {
  const text = '---\ntitle: "Front"\n---\n\nTop\n===\n\nbody\n\n---\n\n    # indented\n\nSub\n---\n\nmore'
  const { title, blocks } = markdown(text)
  expect(title).toBe('Front')
  expect(blocks.map(b => [b.kind, b.text, b.headings.join('/')])).toEqual([
    ['prose', 'body', 'Top'],
    ['code', '    # indented', 'Top'],
    ['prose', 'more', 'Top/Sub'],
  ])
})

test('a fence that is never closed runs to the end', () => {
  expect(chunk(markdown('a\n\n~~~\nb\n\nc').blocks).at(-1)!.text).toContain('b\n\nc')
})

test('a line of a million characters is cut between its characters', () => {
  const text = '😀é'.repeat(300_000)
  const chunks = chunk(plainText(text).blocks)
  expect(chunks.map(c => c.text).every(t => t.length <= CHUNK_CHARS && Buffer.from(t).toString() === t)).toBe(
    true,
  )
})

type Random = (n: number) => number

/** Makes each word another; begins anew with each seed. */
let counter = 0

/** The same numbers for the same seed (mulberry32). */
function randomFrom(seed: number): Random {
  let state = seed
  counter = 0
  return n => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

const word = (random: Random) => `w${(counter++).toString(36)}${'äöλя漢x'[random(6)]}`

function sentences(random: Random, words: number): string {
  return Array.from({ length: words }, (_, i) => word(random) + (i % 11 === 10 ? '.' : '')).join(' ')
}

function randomMarkdown(random: Random): string {
  const parts = Array.from({ length: 5 + random(30) }, () => {
    switch (random(7)) {
      case 0:
        return `${'#'.repeat(1 + random(4))} ${word(random)} ${word(random)}`
      case 1:
        return `\`\`\`\n${word(random)}\n\n# ${word(random)}\n\`\`\``
      case 2:
        return Array.from({ length: 1 + random(60) }, () => `- ${sentences(random, 1 + random(9))}`).join(
          '\n',
        )
      case 3:
        return `${word(random)}\n${'='.repeat(3)}`
      case 4:
        return `| ${word(random)} | ${word(random)} |\n| - | - |\n| ${word(random)} | ${word(random)} |`
      default:
        return sentences(random, 1 + random(400))
    }
  })
  return parts.join(random(2) ? '\n\n' : '\n\n\n')
}
