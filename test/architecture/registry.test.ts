import { expect, test } from 'vitest'
import { registry } from '../../src/commands/index.ts'

const nouns = registry.flatMap(entry => ('commands' in entry ? [entry] : []))
const commands = registry.flatMap(entry =>
  'commands' in entry
    ? entry.commands.map(c => ({ ...c, path: `${entry.name} ${c.name}` }))
    : [{ ...entry, path: entry.name }],
)

test('there are commands', () => {
  expect(commands.length).toBeGreaterThan(0)
})

test('every command has a summary and an example of itself', () => {
  const poor = commands.flatMap(c => {
    const lacks = []
    if (!c.summary.trim()) lacks.push('a summary')
    if (/[.\n]$/.test(c.summary)) lacks.push('a summary without a full stop at its end')
    if (!c.example.includes(`llmagentos ${c.path}`)) lacks.push(`an example with "llmagentos ${c.path}"`)
    return lacks.map(what => `${c.path} lacks ${what}`)
  })
  expect(poor).toEqual([])
})

test('an example starts with llmagentos, with what is piped into it, or with the variable that takes its output', () => {
  const odd = commands
    .filter(c => !/^(llmagentos |[^\n|]+\| llmagentos |\w+=\$\(llmagentos )/.test(c.example))
    .map(c => `${c.path}: ${c.example}`)
  expect(odd).toEqual([])
})

test('every noun has a summary and a command', () => {
  expect(nouns.filter(n => !n.summary.trim() || n.commands.length === 0).map(n => n.name)).toEqual([])
})

test('no name is given twice', () => {
  const names = [...registry.map(e => e.name), ...commands.filter(c => c.path !== c.name).map(c => c.path)]
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})
