import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runHere } from '../../../src/provision/connections/local.ts'
import { kept } from '../../../src/provision/facts/kept.ts'
import { packages } from '../../../src/provision/facts/packages.ts'
import { time } from '../../../src/provision/facts/time.ts'
import { users } from '../../../src/provision/facts/users.ts'
import { install, remove, setHold } from '../../../src/provision/os/apt.ts'
import { goneSteps, itemSteps } from '../../../src/provision/os/index.ts'
import type { Item } from '../../../src/provision/os/item.ts'
import type { Step } from '../../../src/provision/reconcile/step.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { BARE, factsOf, finished } from './node.ts'

const programOf = ({ act }: Step) => (act.do === 'run' && act.argv[1] === '-c' ? [act.argv[2]!] : [])

test('the programs of the nodes are shell without mistakes of syntax', async () => {
  const items: Item[] = [
    { kind: 'block', path: '/etc/hosts', text: 'x', says: 'x' },
    { kind: 'unit', name: 'x.service', says: 'x' },
    { kind: 'opening', through: 'ufw', from: 'any', protocol: 'tcp', port: 1, says: 'x' },
    { kind: 'user', name: 'x', home: '/', says: 'x' },
  ]
  const o = { node: 'n1', component: 'story' }
  const made = itemSteps({ ...o, items, facts: factsOf({ n1: BARE }) })
  const gone = goneSteps({ ...o, items: [], facts: factsOf({ n1: finished('story', items) }) })
  const apt = [
    install(['x'], { held: true }),
    setHold(['x'], 'hold'),
    remove(['x']),
    remove(['x'], { purge: true }),
  ].map(act => act.argv[2]!)
  const facts = [kept, packages, users, time].map(fact => fact.script)
  const texts = [...[...made, ...gone].flatMap(programOf), ...apt, ...facts]
  expect(texts).toHaveLength(15)
  for (const stdin of texts) {
    const { code, stderr } = await runHere(['sh', '-n'], { stdin, deadlineMs: 10_000 })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }
})

const BEGIN = '# begin llmagentos story'
const END = '# end llmagentos story'
const OURS = '10.0.0.1 one\n10.0.0.2 two'

const edits: [string, string, string, string][] = [
  ['are added at the end', 'a\nb\n', OURS, `a\nb\n${BEGIN}\n${OURS}\n${END}\n`],
  ['are added behind a last line without an end', 'a', OURS, `a\n${BEGIN}\n${OURS}\n${END}\n`],
  ['are added to an empty file', '', OURS, `${BEGIN}\n${OURS}\n${END}\n`],
  ['stay where they are', `a\n${BEGIN}\nold\n${END}\nb\n`, OURS, `a\n${BEGIN}\n${OURS}\n${END}\nb\n`],
  ['go', `a\n${BEGIN}\nold\n${END}\nb\n`, '', 'a\nb\n'],
  ['were never there, and go', 'a\nb\n', '', 'a\nb\n'],
  ['lost their end', `a\n${BEGIN}\n${OURS}\nb\n`, OURS, `a\n${BEGIN}\n${OURS}\n${END}\nb\n`],
  ['lost their begin', `a\nx\n${END}\nb\n`, OURS, `a\nx\nb\n${BEGIN}\n${OURS}\n${END}\n`],
  [
    'stand there twice',
    `${BEGIN}\nx\n${END}\na\n${BEGIN}\ny\n${END}\n`,
    OURS,
    `${BEGIN}\n${OURS}\n${END}\na\n`,
  ],
  ['begin twice', `${BEGIN}\n${BEGIN}\nx\n${END}\na\n`, OURS, `${BEGIN}\n${OURS}\n${END}\na\n`],
  [
    'hold signs of every kind',
    'a\n',
    'a\\n & "$HOME" \\1 100%',
    `a\n${BEGIN}\na\\n & "$HOME" \\1 100%\n${END}\n`,
  ],
]

test.each(edits)('our lines %s', async (_, before, ours, after) => {
  const path = join(tempFolder(), 'hosts')
  writeFileSync(path, before, { mode: 0o640 })
  await edit(path, ours)
  expect(readFileSync(path, 'utf8')).toBe(after)
  expect(statSync(path).mode & 0o777).toBe(0o640)
  await edit(path, ours)
  expect(readFileSync(path, 'utf8')).toBe(after)
})

test('a file behind a link is edited, and the link stays', async () => {
  const folder = tempFolder()
  writeFileSync(join(folder, 'real'), 'a\n')
  symlinkSync('real', join(folder, 'hosts'))
  await edit(join(folder, 'hosts'), OURS)
  expect(readFileSync(join(folder, 'real'), 'utf8')).toContain(OURS)
})

/** By the very step that runs on nodes. */
async function edit(path: string, text: string) {
  const item: Item = { kind: 'block', path, text, says: 'names' }
  const o = { node: 'n1', component: 'story' }
  const [step] =
    text === ''
      ? goneSteps({ ...o, items: [], facts: factsOf({ n1: finished('story', [item]) }) })
      : itemSteps({ ...o, items: [item], facts: factsOf({ n1: BARE }) })
  if (step?.act.do !== 'run') throw new Error('no step')
  const [command, ...args] = step.act.argv
  expect(
    await runHere([command!, ...args], { stdin: String(step.act.stdin), deadlineMs: 10_000 }),
  ).toMatchObject({ code: 0, stderr: '' })
}
