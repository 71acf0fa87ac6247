import { expect, test } from 'vitest'
import { dataCluster } from './cluster.ts'

const turn = (question: string, saw: number, minute: number) => ({
  saw,
  at: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
  question,
  answer: `about ${question}`,
  sources: [{ n: 1, kb: 'docs', document: 'a.md', title: 'A', position: { line: 1 }, score: 1 }],
  engine: 'extractive',
  model: 'extractive',
  usage: { promptTokens: 1, completionTokens: 2 },
  window: [],
})

test('sessions are listed newest first, shown from their first turn and removed', async () => {
  const { cli, turns } = await dataCluster()
  await turns.append('old', turn('one', 0, 1))
  await turns.append('new', turn('two', 0, 2))
  await turns.append('new', turn('three', 1, 3))
  const listed = (await cli(['session', 'list'])).stdout.trim().split('\n')
  expect(listed.map(l => l.split(/ {2,}/))).toEqual([
    ['SESSION', 'TURNS', 'LAST', 'TITLE'],
    ['new', '2', '2026-01-01T00:03:00.000Z', 'two'],
    ['old', '1', '2026-01-01T00:01:00.000Z', 'one'],
  ])
  expect((await cli(['session', 'show', 'new'])).stdout).toBe(
    [
      '1  2026-01-01T00:02:00.000Z  extractive\n> two\n\nabout two\n  [1] A (docs: a.md)\n\n',
      '2  2026-01-01T00:03:00.000Z  extractive\n> three\n\nabout three\n  [1] A (docs: a.md)\n\n',
    ].join(''),
  )
  expect((await cli(['session', 'rm', 'new'])).stdout).toBe('Removed new with its 2 turns.\n')
  expect((await cli(['session', 'rm', 'old'])).stdout).toBe('Removed old with its one turn.\n')
  expect(await cli(['session', 'list'])).toMatchObject({ code: 0, stdout: '' })
})

test('a long session is shown whole, in text and in JSON', async () => {
  const { cli, turns } = await dataCluster()
  for (let n = 0; n < 230; n++) await turns.append('s', turn(`q${n + 1}`, n, n))
  const shown = JSON.parse((await cli(['session', 'show', 's', '--json'])).stdout)
  expect(shown.turns.map((t: { turn: number }) => t.turn)).toEqual(
    Array.from({ length: 230 }, (_, i) => i + 1),
  )
  expect((await cli(['session', 'show', 's'])).stdout.match(/^> q\d+$/gm)).toHaveLength(230)
})

test.each([
  ['show', 'none', 'There is no session none.'],
  ['rm', 'none', 'There is no session none.'],
  ['show', '../x', 'must be 1 to 64 letters'],
])('session %s %s is one clear sentence and exit code 2', async (verb, id, sentence) => {
  const { cli } = await dataCluster()
  const { code, stdout, stderr } = await cli(['session', verb, id])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(sentence)
})
