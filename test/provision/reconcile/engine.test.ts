import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EXIT, Failure } from '../../../src/errors.ts'
import { runHere } from '../../../src/provision/connections/local.ts'
import { fence } from '../../../src/provision/reconcile/fence.ts'
import { RAISE_FENCE, SWEEP } from '../../../src/provision/reconcile/programs/fence.ts'
import { READ_JOURNAL } from '../../../src/provision/reconcile/programs/journal.ts'
import { LEASE } from '../../../src/provision/reconcile/programs/lock.ts'
import { manifestLine, stepCommand } from '../../../src/provision/reconcile/programs/render.ts'
import { LOAD, STEP } from '../../../src/provision/reconcile/programs/step.ts'
import { type Act, step } from '../../../src/provision/reconcile/step.ts'
import { Secret } from '../../../src/secret.ts'
import { failureOf } from '../connections/failure-of.ts'
import { NASTY } from '../connections/stories.ts'
import { nodeHere } from './here.ts'

const run = { run: 'r1', who: 'ada@laptop', number: 7, component: 'base', attempt: 1 }
const does = (act: Act, says = 'do it') => step({ node: 'n1', says, risk: 'add', deadlineMs: 90_000, act })

test('the programs of the nodes are shell without mistakes of syntax', async () => {
  for (const text of [LOAD, STEP, RAISE_FENCE, SWEEP, LEASE, READ_JOURNAL]) {
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
      who: 'ada@laptop',
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
