import { expect, test } from 'vitest'
import { sources } from './sources.ts'

const src = sources('src')
const all = [...src, ...sources('test', 'scripts', 'bin')]

/** Files that are longer for a reason; the number is how long they may be. */
const LONGER: Record<string, { lines: number; reason: string }> = {}

test('a file has one concern and at most 250 lines', () => {
  const tooLong = all
    .filter(s => s.lines > (LONGER[s.file]?.lines ?? 250))
    .map(s => `${s.file} has ${s.lines} lines: split it by concern, or list it with its reason in LONGER`)
  expect(tooLong).toEqual([])
})

test('the list of longer files names none that is short or gone', () => {
  const stale = Object.keys(LONGER).filter(file => (all.find(s => s.file === file)?.lines ?? 0) <= 250)
  expect(stale).toEqual([])
})

test('nothing is left for later in a comment', () => {
  const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`)
  const found = all.flatMap(s =>
    s.text.split('\n').flatMap((line, i) => (marks.test(line) ? [`${s.file}:${i + 1} ${line.trim()}`] : [])),
  )
  expect(found, 'finish it, or open an issue: a mark in the source is read by nobody').toEqual([])
})

test('only main and the programs beside it end the process', () => {
  const ENDS = ['src/main.ts', 'src/runtime/services/executor/child.ts', 'src/runtime/kinds/ingest/worker.ts']
  const found = src
    .filter(s => !ENDS.includes(s.file) && /\bprocess\.(exit\(|exitCode\s*=|reallyExit|abort\()/.test(s.text))
    .map(
      s =>
        `${s.file} ends the process: only ${ENDS.join(', ')} may, because whoever else does it cuts off output and cleanup`,
    )
  expect(found).toEqual([])
})

test('signals are joined by anySignal alone', () => {
  const found = src
    .filter(s => s.file !== 'src/any-signal.ts' && s.text.includes('AbortSignal.any('))
    .map(
      s => `${s.file} calls AbortSignal.any: its deadlines may be collected with the garbage and never come`,
    )
  expect(found).toEqual([])
})
