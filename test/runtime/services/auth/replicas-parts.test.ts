import { describe, expect, test } from 'vitest'
import type { AuthConfig } from '../../../../src/contracts/config.ts'
import { EXIT } from '../../../../src/errors.ts'
import { History } from '../../../../src/runtime/services/auth/replicas/history.ts'
import { othersIn } from '../../../../src/runtime/services/auth/replicas/others.ts'

describe('which of the addresses it is', () => {
  const config = (listen: AuthConfig['listen'], ...auth: AuthConfig['listen'][]) =>
    ({ services: { auth }, listen, stateFolder: '', maxStaleMs: 1000 }) satisfies AuthConfig
  const at = (host: string) => ({ host, port: 7 })
  const names = (c: AuthConfig) =>
    othersIn(c, { peers: () => c.services['auth']!.map(() => ({})) } as never).map(o => o.name)

  test.for<[string, AuthConfig, string[]]>([
    ['the one that it listens on', config(at('b'), at('a'), at('b'), at('c')), ['auth a:7', 'auth c:7']],
    ['the first when it listens everywhere', config(at('0.0.0.0'), at('b'), at('a')), ['auth a:7']],
    ['the only one, whatever it listens on', config(at('x'), at('a')), []],
  ])('is %s', ([, c, others]) => {
    expect(names(c)).toEqual(others)
  })

  test('is refused at the start when it is none of them', () => {
    expect(() => names(config(at('x'), at('a'), at('b')))).toThrow(
      expect.objectContaining({ exit: EXIT.usage, why: expect.stringContaining('a:7, b:7') }),
    )
  })
})

test('the history of records stays small, and tells everything to whoever knows another boot', () => {
  const history = new History()
  history.append('a')
  history.append('b')
  const { boot, version, names } = history.since({})
  expect(names).toEqual(['a', 'b'])
  history.append('c')
  expect(history.since({ boot, after: version }).names).toEqual(['c'])
  expect(history.isOwn(boot)).toBe(true)
  for (let n = 0; n < 2_000; n++) history.append(`u${n % 2}`)
  expect(history.isTooLong(5)).toBe(true)
  const page = history.since({ boot, after: 0 })
  expect(page).toMatchObject({ more: true, version: 1_000 })
  history.restart(['a', 'b', 'c', 'u0', 'u1'])
  expect(history.isTooLong(5)).toBe(false)
  expect(history.since({ boot, after: 2_000 })).toMatchObject({
    names: ['a', 'b', 'c', 'u0', 'u1'],
    version: 5,
  })
})
