import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runHere } from '../../../src/provision/connections/local.ts'
import { PROGRAM } from '../../../src/provision/facts/ask.ts'
import type { Fact } from '../../../src/provision/facts/fact.ts'
import { readAnswers, script } from '../../../src/provision/facts/script.ts'
import { tempFolder } from '../../helpers/temp.ts'

const NONCE = 'a1b2c3'

test('each fact has its own shell, with nothing of the one before', async () => {
  expect(
    await answers({
      first: 'cd /tmp; left=over; set -- a b; trap "echo trapped" EXIT; echo first; exit 0',
      second: 'pwd; echo "[$left] $#"; read -r line || echo "no input"',
      third: 'exec printf "no end of line"',
    }),
  ).toEqual({ first: 'first\ntrapped\n', second: '/\n[] 0\nno input\n', third: 'no end of line' })
})

test('a fact that fails tells why, and leaves the others alone', async () => {
  expect(
    await answers({
      bad: 'echo half; echo because >&2; exit 7',
      silent: 'exit 3',
      broken: 'if true; then echo "no end of it',
      quoted: `printf '%s\\n' "it's" '"' '$HOME' '%s'`,
    }),
  ).toEqual({
    bad: { why: 'because (exit 7)' },
    silent: { why: 'it said nothing (exit 3)' },
    broken: { why: expect.stringMatching(/[Uu]nterminated.*\(exit 2\)$/) },
    quoted: `it's\n"\n$HOME\n%s\n`,
  })
})

test('a fact that is late is ended with all that it started, and those behind it are asked', async () => {
  const folder = tempFolder()
  const late = (name: string, signals = '') =>
    `(${signals}sleep 2.5; : >${join(folder, name)}) & ${signals} echo waits; wait; sleep 3`
  const began = performance.now()
  expect(
    await answers(
      { before: 'echo 1', late: late('kind'), between: 'echo 2', deaf: late('deaf', 'trap "" TERM;') },
      { deadlineMs: 300 },
    ),
  ).toEqual({
    before: '1\n',
    late: { why: 'no answer within 0.3 s' },
    between: '2\n',
    deaf: { why: 'no answer within 0.3 s' },
  })
  await new Promise(resolve => setTimeout(resolve, 3_500 - (performance.now() - began)))
  expect(['kind', 'deaf'].filter(name => existsSync(join(folder, name)))).toEqual([])
})

test('where the shell itself is killed, that fact alone is unknown', async () => {
  expect(await answers({ before: 'echo 1', killer: 'kill -9 $$; sleep 5', after: 'echo 2' })).toEqual({
    before: '1\n',
    killer: { why: 'it said nothing (exit 137)' },
    after: '2\n',
  })
})

test('more than one argument holds is asked by more than one shell', async () => {
  const long = `: ${'x'.repeat(60_000)}; echo $$`
  const found = await answers({ one: long, two: long, three: long })
  expect(new Set(Object.values(found)).size).toBe(3)
})

/** What was answered, or why not, by fact; asked as a node is, on this machine. */
async function answers(scripts: Record<string, string>, { deadlineMs = 5_000 } = {}) {
  const facts = Object.entries(scripts).map(
    ([id, script]): Fact<string> => ({ id, script, deadlineMs, parse: text => text }),
  )
  const ended = await runHere(PROGRAM, { stdin: script(facts, NONCE), deadlineMs: 20_000 })
  const said = readAnswers({ ended, facts, nonce: NONCE, heard: new Map() })
  return Object.fromEntries([...said].map(([id, raw]) => [id, raw.ok ? raw.stdout : { why: raw.why }]))
}
