import { describe, expect, test } from 'vitest'
import { exact } from '../../../src/provision/check/exact.ts'
import { paths } from '../../../src/provision/check/paths.ts'
import type { Walked } from '../../../src/provision/facts/paths.ts'
import { findings, siteOf, told, wanting } from './site.ts'

const by = (values: Record<string, unknown>) => (node: { name: string }) => values[node.name]

describe('ways between nodes', () => {
  const walked = (address: string, o: Partial<Walked> = {}): Walked => ({
    address,
    mtu: 1500,
    small: true,
    large: 'answered',
    ...o,
  })
  const two = ['roles: [control]', 'roles: [worker]']

  test('a pair between which large packets are lost is named, and one that nothing gets to is not', () => {
    const found = findings(
      paths,
      siteOf(),
      by({
        n1: [walked('10.0.0.12', { large: 'lost' }), walked('10.0.0.13')],
        n2: [walked('10.0.0.11'), walked('10.0.0.13', { small: false, large: 'lost' })],
        n3: [walked('10.0.0.11'), walked('10.0.0.12', { large: 'told' })],
      }),
    )
    expect(told(found)).toEqual([
      'bad n1: Packets of 1500 bytes do not get through to n2 (10.0.0.12), and small ones do.',
    ])
  })

  test('where nodes copy, packets are as large as the file says, and none may be refused', () => {
    const site = siteOf(['network: {storage: {cidr: 10.0.1.0/24, mtu: 9000}}'], {
      nodes: [
        'roles: [control, storage], storageAddress: 10.0.1.11',
        'roles: [storage], storageAddress: 10.0.1.12',
      ],
    })
    const [fact] = paths.facts(site, site.nodes[0]!)
    expect(fact!.id).toBe('paths 10.0.0.12 0 10.0.1.12 9000')
    const storage = (address: string) => walked(address, { mtu: 9000, large: 'told' })
    const found = findings(
      paths,
      site,
      by({ n1: [walked('10.0.0.12'), storage('10.0.1.12')], n2: [walked('10.0.0.11'), walked('10.0.1.11')] }),
    )
    expect(told(found)).toEqual([
      'bad n1: Packets of 9000 bytes do not get through to n2 (10.0.1.12), and small ones do.',
    ])
  })

  const strict = (nodes: string[]) =>
    siteOf([], { nodes, components: [{ ...wanting({}), exactTime: ({ nodes }) => nodes }] })

  test('of clocks that have to agree the one that differs by more than 50 ms is named', () => {
    const site = strict(['roles: [control]', 'roles: [control]', 'roles: [control]'])
    const sees = (a: number, b: number) => [
      walked('a', { ahead: a, within: 1 }),
      walked('b', { ahead: b, within: 1 }),
    ]
    const of = (n2: number) =>
      told(findings(exact, site, by({ n1: sees(n2, 1), n2: sees(-n2, -n2), n3: sees(-1, n2) })))
    expect(of(40)).toEqual([])
    expect(of(200)).toEqual(['bad n2: Its clock is 200 ms ahead of those that have to agree within 50 ms.'])
  })

  test('what could not be measured closely, or at all, is a warning', () => {
    const site = strict(two)
    const found = findings(
      exact,
      site,
      by({ n1: [walked('a', { ahead: 200, within: 90 })], n2: [walked('b')] }),
    )
    expect(told(found)).toEqual([
      'warn n1: Its clock seems, give or take 90 ms, to be 100 ms behind those that have to agree within 50 ms.',
      'warn n2: It could not measure how far the clock of n1 is from its own.',
    ])
  })

  test('what nobody wants exactly is not asked for it', () => {
    expect(exact.facts(siteOf(), siteOf().nodes[0]!)).toEqual([])
  })
})
