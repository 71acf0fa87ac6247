import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EXIT, Failure } from '../../../src/errors.ts'
import { runHere } from '../../../src/provision/connections/local.ts'
import { fence } from '../../../src/provision/reconcile/fence.ts'
import { readJournal } from '../../../src/provision/reconcile/journal.ts'
import { RAISE_FENCE, SWEEP } from '../../../src/provision/reconcile/programs/fence.ts'
import { LEASE } from '../../../src/provision/reconcile/programs/lock.ts'
import { manifestLine, stepCommand } from '../../../src/provision/reconcile/programs/render.ts'
import { LOAD, STEP } from '../../../src/provision/reconcile/programs/step.ts'
import { type Act, step } from '../../../src/provision/reconcile/step.ts'
import { Secret } from '../../../src/secret.ts'
import { failureOf } from '../connections/failure-of.ts'
import { NASTY } from '../connections/stories.ts'
import { nodeHere, silentNode } from './here.ts'

const run = { run: 'r1', number: 7, component: 'base', attempt: 1 }
const does = (act: Act, says = 'do it') => step({ node: 'n1', says, risk: 'add', deadlineMs: 90_000, act })

test('the programs of the nodes are shell without mistakes of syntax', async () => {
  for (const text of [LOAD, STEP, RAISE_FENCE, SWEEP, LEASE]) {
    const { code, stderr } = await runHere(['sh', '-n'], { stdin: text, deadlineMs: 10_000 })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }
})

test('what a step is made of reaches the shell as it is', async () => {
  for (const says of ['plain', `it's`, NASTY.join(' ')]) {
    const { stdin, argv } = stepCommand(does({ do: 'run', argv: NASTY, stdin: 'in' }, says), run)
    const [program, file] = argv.slice(-3).map(Number) as [number, number]
    const text = String(stdin.subarray(program, program + file))
    const script = `${text}\nprintf '%s\\0' "$says" "$deadline" "$about" "$@"`
    const { stdout } = await runHere(['sh', '-s'], { stdin: script, deadlineMs: 10_000 })
    const [said, deadline, about, ...words] = stdout.split('\0').slice(0, -1)
    expect([said, deadline, ...words]).toEqual([says, '90.000', 'run', ...NASTY])
    expect(JSON.parse(`{${about}}`)).toMatchObject({
      run: 'r1',
      number: 7,
      component: 'base',
      node: 'n1',
      says,
    })
    expect(String(stdin.subarray(program + file))).toBe('in')
  }
})

test('a secret stands in the input of a step only', () => {
  const acts: Act[] = [
    { do: 'write', path: '/etc/x', text: new Secret('canary'), mode: 0o600, owner: 'root:root' },
    { do: 'run', argv: ['cat'], stdin: new Secret('canary') },
  ]
  for (const act of acts) {
    const { argv, stdin } = stepCommand(does(act), run)
    expect(argv.join('\n')).not.toContain('canary')
    expect(String(stdin.subarray(0, -'canary'.length))).not.toContain('canary')
    expect(String(stdin.subarray(-'canary'.length))).toBe('canary')
  }
})

test('a name that would break a line of the manifest is refused', () => {
  expect(manifestLine({ component: 'base', kind: 'file', name: '/etc/a b' })).toBe('base\tfile\t/etc/a b')
  for (const name of ['a\tb', 'a\nb', ''])
    expect(() => manifestLine({ component: 'base', kind: 'file', name })).toThrow(Failure)
})

test('a fence only rises', async () => {
  const { connection, state } = nodeHere('n1')
  const o = { deadlineMs: 5_000 }
  await fence([connection], 9, o)
  await fence([connection], 9, o)
  expect(await failureOf(fence([connection], 8, o))).toMatchObject({ exit: EXIT.locked })
  await fence([connection], 10, o)
  expect(readFileSync(`${state}/fence`, 'utf8')).toBe('10\n')
})

test('journals are merged by time; half lines are left out and silent nodes named', async () => {
  const nodes = ['n1', 'n2', 'n3'].map(nodeHere)
  const line = (at: string, node: string) => `${JSON.stringify({ at, node, outcome: 'done' })}\n`
  const write = (i: number, text: string) => {
    mkdirSync(nodes[i]!.state)
    writeFileSync(`${nodes[i]!.state}/journal.ndjson`, text)
  }
  write(0, line('2026-01-01T00:00:01.000Z', 'n1') + line('2026-01-01T00:00:03.000Z', 'n1'))
  write(1, `{"at":"2026-01-01T00:0\n${line('2026-01-01T00:00:02.000Z', 'n2')}{"at":"20`)
  const connections = [...nodes.map(node => node.connection), silentNode('n4', new Error('it is off'))]
  const all = await readJournal(connections, { limit: 10 })
  expect(all.lines.map(l => l.at.slice(17, 19))).toEqual(['01', '02', '03'])
  expect(all.silent).toEqual([{ node: 'n4', why: 'it is off' }])
  expect((await readJournal(connections, { limit: 1 })).lines.map(l => l.node)).toEqual(['n1'])
  const since = new Date('2026-01-01T00:00:02.000Z')
  expect((await readJournal(connections, { limit: 10, since })).lines).toHaveLength(2)
})
