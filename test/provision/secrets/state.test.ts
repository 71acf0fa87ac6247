import { describe, expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { secretsFact } from '../../../src/provision/secrets/fact.ts'
import { type Stored, stateOf } from '../../../src/provision/secrets/state.ts'
import { randomSecret, together } from '../../../src/provision/secrets/wish.ts'
import { Secret } from '../../../src/secret.ts'
import { failureOf } from '../connections/failure-of.ts'

/** `old`, `old+new`, `+new` or nothing, of one node each. */
const stored = (...nodes: string[]): Stored =>
  new Map(
    nodes.map((text, i) => {
      const [now, next] = text.split('+')
      const file = (value: string) => ({
        value: new Secret(value),
        mode: 0o600,
        owner: 'root:root',
        sinceMs: 0,
      })
      const all = [
        ...(now ? [['a', file(now)] as const] : []),
        ...(next ? [['a.next', file(next)] as const] : []),
      ]
      return [`n${i + 1}`, new Map(all)]
    }),
  )
const state = (...nodes: string[]) => stateOf('a', stored(...nodes))

describe('a secret on control nodes', () => {
  test('is missing, whole, or lacks on some', () => {
    expect(state('', '', '')).toMatchObject({ value: undefined, lacking: ['n1', 'n2', 'n3'] })
    expect(state('x', 'x', 'x')).toMatchObject({ lacking: [], holders: ['n1', 'n2', 'n3'] })
    expect(state('', 'x', '')).toMatchObject({ lacking: ['n1', 'n3'], holders: ['n2'] })
    expect(state('', 'x', '').value!.reveal()).toBe('x')
  })

  test('that differs stops with the nodes and without the values', async () => {
    const failure = await failureOf(Promise.resolve().then(() => state('canary1', 'canary2', 'canary1')))
    expect(failure).toMatchObject({ exit: EXIT.unsafe, why: 'one value on n1, n3; another on n2' })
    expect(JSON.stringify({ ...failure, message: failure.message, stack: failure.stack })).not.toContain(
      'canary',
    )
  })

  test('that is empty somewhere stops', () => {
    const empty = stored('x', 'x')
    empty.get('n2')!.set('a', { ...empty.get('n1')!.get('a')!, value: new Secret('') })
    expect(() => stateOf('a', empty)).toThrow('empty on n2')
  })
})

describe('a rotation', () => {
  test.each([
    [['o+n', 'o', 'o'], 'o', false, ['n1'], ['n2', 'n3']],
    [['o+n', 'o+n', 'o'], 'o', false, ['n1', 'n2'], ['n3']],
    [['o+n', 'o+n', 'o+n'], 'o', false, ['n1', 'n2', 'n3'], []],
    [['n', 'o+n', 'o+n'], 'n', true, ['n2', 'n3'], []],
    [['n', 'n', 'o+n'], 'n', true, ['n3'], []],
    [['n', 'o+n', '+n'], 'n', true, ['n2', 'n3'], []],
  ] as const)('with %j is in use as %s', (nodes, value, begun, ready, unready) => {
    const found = state(...nodes)
    expect(found.value!.reveal()).toBe(value)
    expect(found.rotation).toMatchObject({ begun, ready, unready })
  })

  test('ends when all nodes use the new value', () => {
    expect(state('n', 'n', 'n').rotation).toBeUndefined()
  })

  test('does not hide values that differ', () => {
    expect(() => state('n', 'o', 'o+n')).toThrow('not the same')
    expect(() => state('o+n', 'o+m', 'o')).toThrow('not the same')
  })
})

test('what nodes print of secrets is never quoted by an error', () => {
  for (const line of ['canary', 'a canary', 'a 81a4 canary', 'a 81a4 root:root x Y2FuYXJ5'])
    expect(() => secretsFact.parse(`${line}\n`)).toThrow(
      /^the folder of secrets was listed in another way than asked$/,
    )
  const read = secretsFact.parse('a 8180 root:root 1700000000 Y2FuYXJ5\n')
  expect(JSON.stringify([...read])).not.toContain('canary')
  expect(read.get('a')!.value.reveal()).toBe('canary')
})

test('two components may want the same secret, made in the same way only', () => {
  expect(together(['a', 'b', randomSecret('a')]).map(one => one.name)).toEqual(['a', 'b'])
  expect(() => together(['a', { name: 'a', program: 'id', from: [] }])).toThrow('each made in another way')
  for (const name of ['', 'A', 'a.next', '../a', '.a', 'a b'])
    expect(() => together([name])).toThrow('no name')
})
