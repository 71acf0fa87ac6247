import { describe, expect, test } from 'vitest'
import { clones } from '../../../src/provision/check/clones.ts'
import { disks } from '../../../src/provision/check/disks.ts'
import { names } from '../../../src/provision/check/names.ts'
import { network } from '../../../src/provision/check/network.ts'
import { ports } from '../../../src/provision/check/ports.ts'
import { reach } from '../../../src/provision/check/reach.ts'
import type { Port } from '../../../src/provision/components/component.ts'
import type { Disk } from '../../../src/provision/disks/disk.ts'
import { findings, siteOf, told, wanting } from './site.ts'

const GiB = 2 ** 30
const by = (values: Record<string, unknown>) => (node: { name: string }) => values[node.name]

describe('network', () => {
  const link = (address: string, mtu = 1500, mac = 'aa:00:00:00:00:01') => ({
    name: 'eth0',
    mac,
    mtu,
    up: true,
    addresses: [{ address, prefixLength: 24 }],
  })

  test('an address that the node does not have, and the odd MTU of one of three', () => {
    const found = findings(
      network,
      siteOf(),
      by({ n1: [link('10.0.0.11')], n2: [link('10.0.0.99')], n3: [link('10.0.0.13', 9000)] }),
    )
    expect(told(found)).toEqual([
      'bad n2: It does not have the address 10.0.0.12; it has 10.0.0.99.',
      'warn n1: eth0 has an MTU of 1500; n3 in 10.0.0.0/24 has 9000.',
      'warn n3: eth0 has an MTU of 9000; n1 in 10.0.0.0/24 has 1500.',
    ])
  })

  test('the MTU of the storage network is the one of the file', () => {
    const site = siteOf(['network: {storage: {cidr: 10.0.1.0/24, mtu: 9000}}'], {
      nodes: [
        'roles: [control, storage], storageAddress: 10.0.1.11',
        'roles: [storage], storageAddress: 10.0.1.12',
      ],
    })
    const found = findings(
      network,
      site,
      by({
        n1: [link('10.0.0.11'), { ...link('10.0.1.11', 9000), name: 'eth1' }],
        n2: [link('10.0.0.12'), { ...link('10.0.1.12'), name: 'eth1' }],
      }),
    )
    expect(told(found)).toContain('bad n2: eth1 has an MTU of 1500; network/storage/mtu says 9000.')
  })

  test('copies share a machine id, a hardware address, a host name and a host key', () => {
    const copy = { hostname: 'template', machineId: 'abc', hostKeys: ['ssh-ed25519 AAAA'] }
    const own = { hostname: 'n3', machineId: 'def', hostKeys: ['ssh-ed25519 BBBB'] }
    const found = findings(clones, siteOf(), (node, fact) => {
      if (fact.id === 'network')
        return [link(node.address, 1500, node.name === 'n3' ? 'aa:00:00:00:00:03' : undefined)]
      return node.name === 'n3' ? own : copy
    })
    expect(told(found)).toEqual([
      'bad n1: It has the machine id of n2: one is a copy of the other.',
      'bad n2: It has the machine id of n1: one is a copy of the other.',
      'bad n1: It has the hardware address aa:00:00:00:00:01 in 10.0.0.0/24, as n2.',
      'bad n2: It has the hardware address aa:00:00:00:00:01 in 10.0.0.0/24, as n1.',
      'warn n1: It calls itself template, as n2.',
      'warn n2: It calls itself template, as n1.',
      'warn n1: It shows the SSH host key of n2: who has one of them can pass for the other.',
      'warn n2: It shows the SSH host key of n1: who has one of them can pass for the other.',
    ])
    expect(found.filter(({ level }) => level === 'ok').map(({ node }) => node)).toEqual(['n3'])
  })

  test('a name that is the address must not mean loopback; a host name should not', () => {
    const site = siteOf([], { nodes: ['roles: [control]'] })
    const node = { ...site.nodes[0]!, address: 'n1.example.org' }
    const named = { ...site, asked: [node], nodes: [node], cluster: { ...site.cluster, nodes: [node] } }
    const means = new Map([
      ['box', ['127.0.1.1']],
      ['n1.example.org', ['127.0.1.1']],
      ['n1', []],
      ['n1.halle.internal', []],
    ])
    const answers = (_: unknown, fact: { id: string }) =>
      fact.id === 'network' ? [link('10.0.0.11')] : means
    expect(told(findings(network, named, answers))).toEqual([
      "bad n1: Its address n1.example.org means 127.0.1.1 there, which is no other node's way to it.",
    ])
    expect(told(findings(names, named, answers))).toEqual([
      'warn n1: Its own name box means 127.0.1.1 there.',
    ])
  })

  test('nodes that all have the line of Debian’s installer are told of in one sentence', () => {
    const own = (name: string) => new Map([[name, ['127.0.1.1']]])
    const found = findings(names, siteOf(), node => own(node.name))
    expect(found.map(({ node }) => node)).toEqual(['n1', 'n2', 'n3'])
    expect(new Set(found.map(({ says, fix }) => `${says} ${fix}`)).size).toBe(1)
    expect(found[0]!.says).toBe('Its own name means 127.0.1.1 there.')
  })
})

describe('ports', () => {
  const gateway: Omit<Port, 'node'> = {
    port: 7420,
    protocol: 'tcp',
    from: 'public',
    by: 'the gateway',
    path: ['gateway', 'port'],
  }
  const site = siteOf([], { components: [wanting({ ports: [gateway] })] })
  const listener = (unit: string, address = '0.0.0.0') => ({
    protocol: 'tcp',
    address,
    port: 7420,
    programs: [{ name: 'node', pid: 7, unit }],
  })

  test('a port is free, ours by the manifest, or held by somebody else', () => {
    const entries = [{ component: 'runtime', kind: 'unit', name: 'llmagentos-gateway.service' }]
    const answers = { n1: [], n2: [listener('llmagentos-gateway.service')], n3: [listener('nginx.service')] }
    const found = findings(ports, site, (node, fact) =>
      fact.id === 'kept' ? { entries } : answers[node.name as 'n1'],
    )
    expect(told(found)).toEqual([
      'bad n3: tcp port 7420, which the gateway wants, is held by node (nginx.service).',
    ])
    expect(found[2]!.fix).toBe('Stop it there, or move ours: gateway/port in the file.')
  })

  test('a port that is closed is reachable; silence and a barred way are not; a node that is down is left out', () => {
    const answer = (address: string, answer: string, why?: string) => ({ address, port: 7420, answer, why })
    const all = {
      n1: [answer('10.0.0.12', 'closed'), answer('10.0.0.13', 'silent')],
      n2: [answer('10.0.0.11', 'silent'), answer('10.0.0.13', 'silent')],
    }
    const down = { ...site, nodes: site.nodes.slice(0, 2) }
    expect(told(findings(reach, down, by(all)))).toEqual([
      'bad n2: It does not get through to n1 (10.0.0.11), TCP 7420 of the gateway: nothing came back.',
    ])
    const barred = { n1: [answer('10.0.0.12', 'open'), answer('10.0.0.13', 'barred', 'No route to host')] }
    const one = { ...site, nodes: [site.nodes[0]!, site.nodes[2]!] }
    expect(
      told(
        findings(
          reach,
          one,
          by({ ...barred, n3: [answer('10.0.0.11', 'open'), answer('10.0.0.12', 'open')] }),
        ),
      ),
    ).toEqual([
      'bad n1: It does not get through to n3 (10.0.0.13), TCP 7420 of the gateway: No route to host.',
    ])
  })
})

test('disks: two names of one disk, one that nobody could look into, and an OSD', () => {
  const site = siteOf([], {
    nodes: ['roles: [control, storage], disks: [{id: a, db: c}, {id: b}, {id: d}, {id: e}, {id: f}]'],
  })
  const disk = (names: string[], more: Partial<Disk> = {}): Disk => ({
    path: `/dev/sd${names[0]}`,
    names,
    serial: '',
    model: '',
    sizeBytes: 8 * GiB,
    rotational: false,
    removable: false,
    readonly: false,
    holds: [],
    openers: [],
    ...more,
  })
  const osd = { kind: 'bluestore', uuid: 'u', fsid: 'f', id: 3, whole: true } as const
  const answer = {
    others: ['f'],
    disks: [
      disk(['a', 'b']),
      disk(['c'], { holds: [osd] }),
      disk(['d'], { unknown: 'no answer within 10 s' }),
      disk(['e'], { holds: [{ kind: 'signature', type: 'zfs_member' }] }),
      disk(['g']),
    ],
  }
  expect(told(findings(disks, site, () => answer))).toEqual([
    'bad n1: a and b are one disk, /dev/sda.',
    'warn n1: c (/dev/sdc, 8 GiB) is not blank: it holds osd.3 of the Ceph cluster f.',
    'bad n1: b and a are one disk, /dev/sda.',
    'unknown n1: It could not be found out what d (/dev/sdd) holds: no answer within 10 s.',
    'bad n1: e (/dev/sde, 8 GiB) is not blank: it holds a part of a ZFS pool.',
    'bad n1: f is no whole disk.',
  ])
})
