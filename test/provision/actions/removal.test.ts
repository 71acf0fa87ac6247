import { describe, expect, test } from 'vitest'
import {
  forgetting,
  keptData,
  leavingOrder,
  type Removal,
  remains,
  removalOf,
} from '../../../src/provision/actions/removal.ts'
import { parse } from '../../../src/provision/cluster/load.ts'
import type { Item } from '../../../src/provision/os/item.ts'
import { stepsOf } from '../../../src/provision/reconcile/plan.ts'
import { BARE, factsOf, finished } from '../os/node.ts'

const { nodes } = parse(
  'name: p\nrecovery: none\nssh: {user: ops}\nnodes:\n  - {name: n1, address: 10.0.0.1, roles: [control]}\n  - {name: n2, address: 10.0.0.2, roles: [worker]}\n',
  { env: {} },
)

const items: Item[] = [
  { kind: 'package', names: ['broker'], held: true, says: 'x' },
  { kind: 'user', name: 'broker', home: '/', says: 'x' },
  { kind: 'file', path: '/etc/broker.conf', text: 'x', mode: 0o644, owner: 'root:root', says: 'x' },
  { kind: 'unit', name: 'broker.service', says: 'x' },
]
const HELD = [
  'kept\tbroker\theld\t/var/lib/broker\t',
  'kept\tsecrets\theld\t/var/lib/llmagentos/secrets/cookie\t',
  'kept\tcluster\theld\t/var/lib/llmagentos/applied\t',
]

const asked = (o: Partial<Removal> & { held?: string[]; traces?: string }): Removal => {
  const n1 = finished('broker', items)
  const kept = [...(o.held ?? HELD), n1.kept].join('\n')
  const facts = factsOf({
    n1: { ...n1, kept, certificates: '', traces: o.traces ?? '/var/lib/llmagentos\n/etc/llmagentos\n' },
    n2: { ...BARE, certificates: '', traces: '' },
  })
  return { nodes, facts, order: ['base', 'secrets', 'broker'], purge: false, ...o }
}
const says = (plan: ReturnType<typeof removalOf>) =>
  stepsOf([plan]).map(({ risk, says }) => `${risk} ${says}`)

describe('what leaves with the cluster', () => {
  test('leaves in the opposite order, and what the file no longer has goes first', () => {
    expect(leavingOrder(asked({}))).toEqual(['broker', 'secrets'])
    expect(leavingOrder(asked({ order: ['base', 'secrets'] }))).toEqual(['broker', 'secrets'])
  })

  test('is everything but data and whom the data belongs to', () => {
    expect(says(removalOf('broker', asked({})))).toEqual([
      'change stop broker.service: it is no longer needed',
      expect.stringContaining('change remove /etc/broker.conf'),
      expect.stringContaining('change remove /etc/needrestart/conf.d/llmagentos-broker.conf'),
      expect.stringContaining('change remove /etc/apt/apt.conf.d/52llmagentos-broker'),
      'change no longer hold broker',
      'change remove the packages broker; their configuration stays',
    ])
    expect(says(removalOf('secrets', asked({})))).toEqual([])
    expect(keptData(asked({}))).toEqual([
      { node: 'n1', component: 'broker', path: '/var/lib/broker' },
      { node: 'n1', component: 'secrets', path: '/var/lib/llmagentos/secrets/cookie' },
    ])
  })

  test('is data too when that is wanted, and it goes last', () => {
    const purging = asked({ purge: true })
    expect(says(removalOf('broker', purging)).slice(-3)).toEqual([
      'change remove the packages broker and their configuration',
      'change remove user broker; its files stay',
      'destroy destroy the data in /var/lib/broker',
    ])
    expect(keptData(purging)).toEqual([])
    expect(says(forgetting(purging))).toEqual([
      'destroy remove /var/lib/llmagentos: manifest, journal, lock, and secrets where there are any',
    ])
  })

  test('is not what a node remembers while it keeps data', () => {
    expect(says(forgetting(asked({})))).toEqual(['change remove the folders of ours that are empty now'])
    expect(says(forgetting(asked({ traces: '/var/lib/llmagentos\n/run/llmagentos\n' })))).toEqual([])
    expect(says(forgetting(asked({ held: HELD.slice(2) })))).toEqual([
      'destroy remove /var/lib/llmagentos: manifest, journal, lock',
    ])
  })

  test('is not what services remember for themselves, unless data goes too', () => {
    const traces = '/var/lib/llmagentos\n/var/lib/broker\n'
    const held = HELD.slice(2)
    expect(keptData(asked({ held, traces }))).toEqual([
      { node: 'n1', component: 'broker', path: '/var/lib/broker' },
    ])
    expect(says(removalOf('broker', asked({ held, traces }))).join()).not.toContain('remove user')
    expect(says(forgetting(asked({ held, traces })))).toEqual([])
    expect(says(removalOf('broker', asked({ held, traces, purge: true }))).at(-1)).toBe(
      'destroy destroy the data in /var/lib/broker',
    )
  })

  test.each([
    '/',
    '/var/lib',
    '/home/ada',
    '/var/lib/../../etc',
    'relative',
  ])('is never the data in %s: nothing of ours is there', path => {
    const odd = asked({ purge: true, held: [`kept\tbroker\theld\t${path}\t`] })
    expect(() => removalOf('broker', odd)).toThrow('cannot be removed by this version')
  })
})

test('what is still there at the end is named, but what was to stay', () => {
  expect(remains(asked({ purge: true })).map(({ what }) => what)).toEqual(
    expect.arrayContaining(['unit broker.service', 'held /var/lib/broker', '/etc/llmagentos']),
  )
  const facts = factsOf({
    n1: { ...BARE, kept: HELD.join('\n'), traces: '/var/lib/llmagentos\n/run/llmagentos\n' },
    n2: { ...BARE, traces: '' },
  })
  expect(remains(asked({ facts }))).toEqual([])
})
