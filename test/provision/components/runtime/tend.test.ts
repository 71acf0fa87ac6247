import { afterAll, expect, test } from 'vitest'
import type { SignerConfig, TendConfig } from '../../../../src/contracts/certificates.ts'
import type { WantedNode } from '../../../../src/provision/cluster/cluster.ts'
import { runtime } from '../../../../src/provision/components/runtime/index.ts'
import { timesOf } from '../../../../src/provision/components/runtime/tend.ts'
import type { Item } from '../../../../src/provision/os/item.ts'
import { factsOf } from '../../os/node.ts'
import { forget } from '../certified.ts'
import { bare, viewOf } from './site.ts'

afterAll(forget)

const HOUR_MS = 3_600_000
const view = viewOf(4, ['control', 'control', 'control', 'worker'])
const facts = factsOf({ n1: bare, n2: bare, n3: bare, n4: bare })
const itemsOf = (name: string): Item[] =>
  runtime.items(view, facts, view.nodes.find((node: WantedNode) => node.name === name)!)
const textOf = (items: Item[], path: string): string =>
  items.flatMap(item => (item.kind === 'file' && item.path === path ? [String(item.text)] : [])).join()
const certificatesOf = (items: Item[]) =>
  items.flatMap(item => (item.kind === 'certificate' ? [item.name] : [])).toSorted()
const tendOf = (name: string): TendConfig => JSON.parse(textOf(itemsOf(name), '/etc/llmagentos/tend.json'))

test('every node looks after the certificates that it keeps, and asks every control node', () => {
  for (const name of ['n1', 'n2', 'n4']) {
    const { certificates, signers } = tendOf(name)
    expect(certificates.map(one => one.name).toSorted()).toEqual(certificatesOf(itemsOf(name)))
    expect(certificates.length).toBeGreaterThan(0)
    expect(signers.map(({ node, at }) => `${node} ${at.host}`)).toEqual([
      'n1 10.0.0.10',
      'n2 10.0.0.11',
      'n3 10.0.0.12',
    ])
  }
  expect(certificatesOf(itemsOf('n1'))).toContain('signer')
  expect(certificatesOf(itemsOf('n4'))).toEqual(['worker'])
})

test('control nodes sign for every member what it keeps, and run the signer behind a firewall that lets nodes in', () => {
  const items = itemsOf('n2')
  const { members, listen }: SignerConfig = JSON.parse(textOf(items, '/var/lib/llmagentos/identities.json'))
  for (const name of ['n1', 'n2', 'n3', 'n4'])
    expect(Object.keys(members[name]!).toSorted()).toEqual(certificatesOf(itemsOf(name)))
  expect(members['n4']!['worker']).toMatchObject({
    uris: ['spiffe://story/worker'],
    seconds: 365 * 86_400,
    extensions: expect.stringContaining('DNS:n4.story.internal'),
  })
  expect(listen).toEqual({ host: '10.0.0.11', port: 7430 })
  expect(runtime.ports(view)).toContainEqual(
    expect.objectContaining({ node: 'n2', port: 7430, from: 'nodes' }),
  )
  expect(textOf(itemsOf('n4'), '/var/lib/llmagentos/identities.json')).toBe('')
  const unit = textOf(items, '/etc/systemd/system/llmagentos-signer.service')
  expect(unit).toContain('LoadCredential=ca-key:/var/lib/llmagentos/secrets/ca-key\n')
  expect(unit).toContain(' signer --config %d/identities.json\n')
})

test('it is looked several times within the last third of the shortest life, at least each hour, and not by all nodes at once', () => {
  const day = { lifeMs: 24 * HOUR_MS }
  expect(timesOf('n1', [{ lifeMs: 365 * 24 * HOUR_MS }]).period).toBe(3600)
  expect(timesOf('n1', [day, { lifeMs: 240_000 }]).period).toBe(20)
  expect(timesOf('n1', [{ lifeMs: 30_000 }]).period).toBe(5)
  const firsts = ['n1', 'n2', 'n3', 'n4'].map(node => timesOf(node, [day]).first)
  expect(new Set(firsts).size).toBe(4)
  for (const first of firsts) expect(first).toBeLessThanOrEqual(3600)
})
