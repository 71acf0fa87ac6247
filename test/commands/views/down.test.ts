import { expect, test } from 'vitest'
import { downJson, downText } from '../../../src/commands/views/down.ts'
import type { Down } from '../../../src/provision/index.ts'

const done = (o: Partial<Down> = {}): Down => ({
  changed: 7,
  failed: [],
  kept: [],
  remains: [],
  untouched: [],
  ...o,
})
const text = (o: Partial<Down> = {}) =>
  downText(done(o), { name: 'prod', purge: false, seconds: 9.1 }).join('\n')

test('the end of cluster down says that nothing is left', () => {
  expect(text()).toBe('Nothing of prod is on these machines any more, after 7 steps in 9.1 s.')
  expect(text({ changed: 0 })).toBe('Nothing of prod is on these machines. Nothing was changed. (9.1 s)')
})

test('names each folder of data that stays, counts secrets, and says what can be done with it', () => {
  const secret = (name: string) => ({
    node: 'n1',
    component: 'secrets',
    path: `/var/lib/llmagentos/secrets/${name}`,
  })
  const store = (path: string) => ({ node: 'n1', component: 'runtime', path })
  const kept = [secret('a'), secret('b'), store('/var/lib/one'), store('/var/lib/two')]
  expect(text({ kept, untouched: ['n9'] }).split('\n')).toEqual([
    'KEPT    n1: /var/lib/llmagentos/secrets (2) of secrets',
    'KEPT    n1: /var/lib/one of runtime',
    'KEPT    n1: /var/lib/two of runtime',
    'NOT ASKED n9: what is there stays there',
    'Nothing of prod but its data is on these machines any more, after 7 steps in 9.1 s.',
    '  next     `llmagentos cluster up` takes the data up again',
    '  next     or destroy it: llmagentos cluster down --purge-data --confirm prod',
  ])
  expect(downJson(done({ kept })).kept).toEqual(kept)
})

test('names what is left though it should not be', () => {
  expect(text({ remains: [{ node: 'n2', what: '/etc/llmagentos' }] })).toContain(
    'LEFT    n2: /etc/llmagentos\nprod is removed, and something is left',
  )
})
