import { afterAll, expect, test } from 'vitest'
import { runtime } from '../../../../src/provision/components/runtime/index.ts'
import type { Item } from '../../../../src/provision/os/item.ts'
import { factsOf } from '../../os/node.ts'
import { forget } from '../certified.ts'
import { bare, viewOf } from './site.ts'

afterAll(forget)

const NAMES = 'names of nodes'

test('gateways share an address, and hear of each other alone', () => {
  expect(fileOf('n2', '/etc/keepalived/keepalived.conf')).toContain(`  interface eth0
  virtual_router_id`)
  const [, own] = /unicast_src_ip (\S+)/.exec(fileOf('n2', '/etc/keepalived/keepalived.conf')) ?? []
  const [, peers] = /unicast_peer \{([^}]*)\}/.exec(fileOf('n2', '/etc/keepalived/keepalived.conf')) ?? []
  expect(own).toBe('10.0.0.11')
  expect(peers?.trim().split(/\s+/)).toEqual(['10.0.0.10', '10.0.0.12'])
  expect(fileOf('n2', '/etc/keepalived/keepalived.conf')).toContain('10.0.0.200/24 dev eth0')
})

test('its certificates name the address, so that clients trust whoever has it', () => {
  const certificate = itemsOf('n1').find(
    item => item.kind === 'certificate' && item.name === 'gateway-public',
  )
  expect(certificate).toMatchObject({ ips: ['10.0.0.10', '10.0.0.200', '127.0.0.1'] })
})

test('without an address to share there is no keepalived', () => {
  const view = viewOf(1)
  const items: Item[] = runtime.items(view, factsOf({ n1: bare }), view.nodes[0])
  expect(items.some(item => item.kind === 'package')).toBe(false)
})

function itemsOf(name: string): Item[] {
  const view = viewOf(3, [], 'gateway: {vip: 10.0.0.200/24}\n')
  const names = runtime.facts(view, view.nodes[0]).map(({ id }) => id)
  expect(names).toContain('network')
  const facts = Object.fromEntries(
    view.nodes.map((node: { name: string; address: string }) => [
      node.name,
      { ...bare, [names.find(id => id.startsWith(NAMES)) ?? NAMES]: '', network: linksOf(node.address) },
    ]),
  )
  return runtime.items(
    view,
    factsOf(facts),
    view.nodes.find((node: { name: string }) => node.name === name),
  )
}

const linksOf = (local: string) =>
  JSON.stringify([{ ifname: 'eth0', mtu: 1500, flags: ['UP'], addr_info: [{ local, prefixlen: 24 }] }])

function fileOf(node: string, path: string): string {
  const file = itemsOf(node).find(item => item.kind === 'file' && item.path === path)
  return file?.kind === 'file' ? String(file.text) : ''
}
