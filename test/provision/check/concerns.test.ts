import { describe, expect, test } from 'vitest'
import { archives } from '../../../src/provision/check/archives.ts'
import { clock } from '../../../src/provision/check/clock.ts'
import { type Concern, onEach } from '../../../src/provision/check/concern.ts'
import { fsync } from '../../../src/provision/check/fsync.ts'
import { concerns } from '../../../src/provision/check/index.ts'
import { memory } from '../../../src/provision/check/memory.ts'
import { packages } from '../../../src/provision/check/packages.ts'
import { space } from '../../../src/provision/check/space.ts'
import { system } from '../../../src/provision/check/system.ts'
import { time } from '../../../src/provision/check/time.ts'
import type { WantedNode } from '../../../src/provision/cluster/cluster.ts'
import type { Component, Port } from '../../../src/provision/components/component.ts'
import { registry } from '../../../src/provision/components/index.ts'
import { os } from '../../../src/provision/facts/os.ts'
import { factsOf, findings, siteOf, told, wanting } from './site.ts'

const GiB = 2 ** 30
const by = (values: Record<string, unknown>) => (node: { name: string }) => values[node.name]

/** What a component that runs is asked. */
const own: NonNullable<Component['check']> = {
  facts: () => [os],
  judge: ({ nodes }, facts) => onEach({ nodes, facts, what: 'how it runs' }, os, () => []),
}

test.each(
  concerns.map(concern => [concern.name, concern] as const),
)('what nobody told of %s is unknown, and never fine', (_, concern) => {
  const gateway: Omit<Port, 'node'> = {
    port: 7420,
    protocol: 'tcp',
    from: 'public',
    by: 'the gateway',
    path: ['gateway', 'port'],
  }
  const site = siteOf([], {
    nodes: ['roles: [control, storage], disks: [{id: sda}]', 'roles: [control, worker]', 'roles: [control]'],
    components: [{ ...wanting({ ports: [gateway] }), exactTime: ({ nodes }) => nodes, check: own }],
  })
  const found = findings(concern, site, () => new Error('no answer within 5 s'))
  expect(found.filter(({ level }) => level !== 'unknown')).toEqual([])
  expect(found.length).toBeGreaterThan(0)
  expect(found[0]!.says).toMatch(/^It did not tell .*: no answer within 5 s\.$/)
})

describe('clock', () => {
  test.each([
    ['all alike', [-3, -5, -4], []],
    ['one a minute ahead', [-3, 62_900, -4], ['bad n2: Its clock is 63 s ahead of the other nodes.']],
    ['one a little behind', [-900, -3, -4], ['warn n1: Its clock is 896 ms behind the other nodes.']],
    [
      'this machine wrong',
      [-90_003, -90_004, -90_005],
      ['warn undefined: The clock of this machine is 90 s ahead of the nodes.'],
    ],
  ])('%s', (_, ahead, expected) => {
    const answers = by({ n1: ahead[0], n2: ahead[1], n3: ahead[2] })
    expect(told(findings(clock, siteOf(), answers))).toEqual(expected)
  })

  test('of two nodes the one that differs from this machine is wrong; one alone is compared with it', () => {
    const two = siteOf([], { nodes: ['roles: [control]', 'roles: [worker]'] })
    expect(told(findings(clock, two, by({ n1: 1, n2: 60_000 })))).toEqual([
      'bad n2: Its clock is 60 s ahead of the other clocks.',
    ])
    const one = siteOf([], { nodes: ['roles: [control]'] })
    expect(told(findings(clock, one, by({ n1: -7_200_000 })))).toEqual([
      'bad n1: Its clock is 2 h behind this machine.',
    ])
  })

  test('a node that did not tell its time is left out of the median', () => {
    const answers = by({ n1: new Error('it said nothing'), n2: 0, n3: 10 })
    expect(told(findings(clock, siteOf(), answers))).toEqual([
      'unknown n1: It did not tell its time: it said nothing.',
    ])
  })
})

test.each([
  [{ service: 'chrony', synchronised: true, canSet: true }, []],
  [{ canSet: false }, []],
  [{ canSet: true, synchronised: true }, []],
  [{ canSet: true }, ['warn n1: Nothing keeps its clock right.']],
  [
    { service: 'chrony', synchronised: false, canSet: true },
    ['warn n1: chrony runs, and has not found the time.'],
  ],
])('time of %j', (value, expected) => {
  expect(told(findings(time, siteOf([], { nodes: ['roles: [control]'] }), () => value))).toEqual(expected)
})

describe('system', () => {
  const debian = {
    id: 'debian',
    version: '13',
    codename: 'trixie',
    says: 'Debian GNU/Linux 13 (trixie)',
    architecture: 'amd64',
    kernel: '6.12',
    init: 'systemd',
    state: 'running',
    failedUnits: [],
  }
  test.each([
    [{}, []],
    [{ version: '12', architecture: 'arm64' }, []],
    [{ version: '11', says: 'Debian GNU/Linux 11' }, ['bad n1: It runs Debian GNU/Linux 11.']],
    [
      { id: 'ubuntu', version: '24.04', says: 'Ubuntu 24.04' },
      ['warn n1: It runs Ubuntu 24.04, which is not tested.'],
    ],
    [{ architecture: 'i386' }, ['bad n1: Its processor is i386.']],
    [{ init: 'init', state: 'offline' }, ['bad n1: Process 1 is init, not systemd.']],
    [{ state: 'degraded', failedUnits: ['x.service'] }, ['warn n1: systemd is degraded: x.service failed.']],
    [{ state: 'maintenance' }, ['bad n1: systemd is maintenance.']],
  ])('%j', (change, expected) => {
    const site = siteOf([], { nodes: ['roles: [control]'] })
    expect(told(findings(system, site, () => ({ ...debian, ...change })))).toEqual(expected)
  })
})

test('memory: the sum of what components may use and what is kept free is at most 90 %', () => {
  const use = { memoryBytes: 6 * GiB, disk: [] }
  const site = siteOf([], {
    nodes: ['roles: [control], memory: {reserve: 4GiB}', 'roles: [worker]'],
    components: [wanting({ use }), { ...wanting({ use }), name: 'other' }],
  })
  const found = findings(memory, site, () => ({
    totalBytes: 16 * GiB,
    availableBytes: GiB,
    swapBytes: 0,
    cpus: 2,
  }))
  expect(told(found)).toEqual([
    'bad n1: The cluster may use 12 GiB of memory, and 4 GiB are kept free, of 16 GiB (100 %).',
  ])
  expect(found[1]).toMatchObject({
    level: 'ok',
    says: 'The cluster may use 12 GiB of memory of 16 GiB (75 %).',
  })
})

test('space: full, read-only, without inodes, and too small for what components want', () => {
  const site = siteOf([], {
    components: [wanting({ use: { memoryBytes: 0, disk: [{ path: '/var/lib/x', bytes: 50 * GiB }] } })],
  })
  const disk = {
    path: '/',
    mount: '/',
    type: 'ext4',
    sizeBytes: 40 * GiB,
    freeBytes: 30 * GiB,
    writable: true,
  }
  const lib = { ...disk, path: '/var/lib/x', mount: '/var/lib', sizeBytes: 100 * GiB, freeBytes: 60 * GiB }
  const answers = {
    n1: [disk, lib, { ...disk, path: '/tmp', mount: '/tmp', freeBytes: 1000 }],
    n2: [
      { ...disk, writable: false },
      { ...lib, freeInodes: 12 },
    ],
    n3: [disk, { ...lib, freeBytes: 20 * GiB }],
  }
  const found = findings(space, site, (node, fact) =>
    fact.id === 'kept' ? { entries: [] } : answers[node.name as 'n1'],
  )
  expect(told(found)).toEqual([
    'bad n1: /tmp, which holds /tmp, is full: 1 KiB of 40 GiB are free.',
    'bad n2: / cannot be written.',
    'bad n2: /var/lib, which holds /var/lib/x, has only 12 inodes left.',
    'bad n3: The cluster may use 50 GiB on /var/lib, which has 20 GiB free.',
  ])
})

test('fsync: 10 ms for 99 of 100 writes are the most, on control nodes', () => {
  const quick = new Array(198).fill(1)
  expect(told(findings(fsync, siteOf(), () => [...quick, 50, 60]))).toEqual([])
  expect(told(findings(fsync, siteOf(), () => [...quick.slice(1), 40, 50, 60]))).toEqual([
    'warn n1: 99 of 100 small synced writes in /var/lib take at most 40 ms; more than 10 ms slow all nodes down.',
  ])
})

test('fsync: also where a component says that it waits for its disk', () => {
  const broker = { ...wanting({}), quickDisk: ({ nodes }: { nodes: WantedNode[] }) => nodes.slice(2) }
  const site = siteOf([], { components: [broker] })
  const slow = new Array(200).fill(12)
  expect(findings(fsync, site, () => slow).map(({ level, node }) => [level, node])).toEqual([
    ['warn', 'n1'],
    ['warn', 'n3'],
  ])
  const rabbitmq = registry.find(({ name }) => name === 'rabbitmq')!
  const { cluster } = siteOf(['components: {rabbitmq: {on: worker}}'])
  expect(rabbitmq.quickDisk?.(cluster, cluster.components['rabbitmq']).map(({ name }) => name)).toEqual([
    'n2',
    'n3',
  ])
})

test('archives: a name that DNS does not know, and a server that does not answer, want different things', () => {
  const uri = 'http://deb.example/debian/dists/trixie/InRelease'
  const found = findings(
    archives,
    siteOf(),
    by({
      n1: [{ uri, error: "Temporary failure resolving 'deb.example'" }],
      n2: [{ uri, error: 'Connection refused' }],
      n3: [{ uri }],
    }),
  )
  expect(told(found)).toEqual([
    `bad n1: ${uri} does not answer: Temporary failure resolving 'deb.example'.`,
    `bad n2: ${uri} does not answer: Connection refused.`,
  ])
  expect(found.map(({ fix }) => fix?.slice(0, 14))).toEqual(['Mend DNS there', 'Correct /etc/a', undefined])
})

describe('what --fix would do', () => {
  const site = siteOf([], { nodes: ['roles: [control]'] })
  const repairs = (concern: Concern, answers: Record<string, unknown>) =>
    (
      concern.repairs?.(
        site,
        factsOf(concern, site, (_, fact) => answers[fact.id]),
      ) ?? []
    ).map(({ says }) => says)
  const all = new Map([['systemd-timesyncd', { version: '1', installed: true, held: false }]])

  test('a time service is started where one is installed and none runs', () => {
    const packages = { all, broken: [] }
    expect(repairs(time, { time: { canSet: true }, packages })).toEqual([
      'start the time service systemd-timesyncd',
    ])
    expect(repairs(time, { time: { canSet: false }, packages })).toEqual([])
    expect(repairs(time, { time: { canSet: true, service: 'ntp' }, packages })).toEqual([])
    expect(repairs(time, { time: { canSet: true }, packages: { all: new Map(), broken: [] } })).toEqual([])
    expect(repairs(time, { time: { canSet: true }, packages: new Error('no answer') })).toEqual([])
  })

  test('dpkg finishes where it was interrupted, unless somebody holds its lock, or nobody knows', () => {
    const broken = { all, broken: ['sudo'] }
    const held = [{ file: '/var/lib/dpkg/lock', pid: 7, command: 'apt-get' }]
    const says = ['finish what dpkg was interrupted in: sudo']
    expect(repairs(packages, { packages: broken, 'apt locks': [] })).toEqual(says)
    expect(repairs(packages, { packages: { all, broken: [] }, 'apt locks': [] })).toEqual([])
    expect(repairs(packages, { packages: broken, 'apt locks': held })).toEqual([])
    expect(repairs(packages, { packages: broken, 'apt locks': new Error('no answer') })).toEqual([])
  })
})
