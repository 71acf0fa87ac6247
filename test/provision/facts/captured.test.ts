import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { asked, HEARD_MS } from './asked.ts'

// captured/PLACE: what real machines said. trixie and bookworm: nodes of the lab; machine: a virtual machine with its own kernel;
// container: Debian 12 without systemd.
const folder = join(import.meta.dirname, 'captured')

describe.each(readdirSync(folder))('what %s said', place => {
  const files = readdirSync(join(folder, place)).filter(file => file.endsWith('.txt'))

  test.each(files)('%s', async file => {
    const name = file.replace('.txt', '')
    const value = asked[name]!.parse(readFileSync(join(folder, place, file), 'utf8'), HEARD_MS)
    const plain = value instanceof Map ? Object.fromEntries(value) : value
    await expect(`${JSON.stringify(plain, undefined, 1)}\n`).toMatchFileSnapshot(
      join(folder, place, `${name}.parsed`),
    )
  })
})

// No lock, no listener, no archive: there nothing is printed.
const sayNothing = ['apt-locks', 'listeners', 'archives', 'mirror']

test.each(
  Object.keys(asked).filter(name => !sayNothing.includes(name)),
)('an empty answer to %s is not understood', name => {
  expect(() => asked[name]!.parse('', HEARD_MS)).toThrow()
})

test.each(Object.keys(asked))('an answer of something else to %s is not understood', name => {
  expect(() => asked[name]!.parse('sh: 1: cannot fork\n', HEARD_MS)).toThrow()
})
