import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { quote, shown } from '../../../src/provision/connections/quote.ts'
import { NASTY } from './stories.ts'

const SHELLS = ['sh', 'bash', 'dash', 'zsh', 'fish', 'busybox']
const found = SHELLS.filter(shell => existsSync(`/bin/${shell}`) || existsSync(`/usr/bin/${shell}`))

// Without a home: fish makes folders in it even for one command.
const env = { ...process.env, HOME: '/dev/null' }

describe.each(found)('%s', shell => {
  test('reads a quoted argv as it was', () => {
    const argv = [...NASTY, NASTY.join(''), "'\\''", '\\\\\\', '$(\n`"\'\\`)']
    const prefix = shell === 'busybox' ? ['sh'] : []
    const out = execFileSync(shell, [...prefix, '-c', quote(['printf', '%s\\0', ...argv])], {
      encoding: 'utf8',
      env,
    })
    expect(out.split('\0').slice(0, -1)).toEqual(argv)
  })
})

test('a NUL byte is refused, because no argument can hold it', () => {
  expect(() => quote(['a\0b'])).toThrow(/NUL/)
})

test('people see one short line', () => {
  expect(shown(['sh', '-c', `a\n  b ${'x'.repeat(500)}`])).toMatch(/^sh -c 'a b x+\.\.\.$/)
})
