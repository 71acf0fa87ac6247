import { describe, expect, test } from 'vitest'
import { entities } from '../../../../src/provision/components/ceph/access.ts'
import { blockWaves } from '../../../../src/provision/components/ceph/block/plan.ts'
import { fileFindings } from '../../../../src/provision/components/ceph/file/judge.ts'
import type { Look } from '../../../../src/provision/components/ceph/file/look.ts'
import { mountUnit } from '../../../../src/provision/components/ceph/file/names.ts'
import { ceph } from '../../../../src/provision/components/ceph/index.ts'
import type { Told } from '../../../../src/provision/components/ceph/told.ts'
import { factsWith, POOLS, refusal, says, told, viewOf } from './file-site.ts'

const SHARED = 'file: {mounts: [{on: worker, path: /srv/shared}]}'

describe('what the file says', () => {
  test('a node that only mounts, or only has the key of block devices, takes part, and opens no port', () => {
    expect(viewOf('').nodes.map(({ name }) => name)).toEqual(['n1', 'n2', 'n3'])
    for (const settings of [SHARED, 'block: {on: worker}']) {
      const view = viewOf(settings)
      expect(view.nodes.map(({ name }) => name)).toEqual(['n1', 'n2', 'n3', 'n4'])
      expect(ceph.ports(view).filter(port => port.node === 'n4')).toEqual([])
    }
  })

  test('such a node may have another release of Debian than those with daemons', () => {
    const system = (codename: string) => ({
      os: `id=debian\nversion=13\ncodename=${codename}\nsays=Debian\narchitecture=amd64\nkernel=6.12\ninit=systemd\nstate=running\n`,
      'versions of Ceph at hand': '',
    })
    const suites = (n3: string, n4: string) => ({
      ...{ n1: system('trixie'), n2: system('trixie'), n3: system(n3), n4: system(n4) },
    })
    expect(refusal(viewOf(SHARED), { state: 'free' }, suites('trixie', 'bookworm'))).toBeUndefined()
    expect(refusal(viewOf(SHARED), { state: 'free' }, suites('bookworm', 'trixie'))).toMatchObject({
      exit: 9,
    })
  })

  test('memory of a metadata server follows its cache, and who only mounts keeps nothing on a disk', () => {
    const [GiB, more] = [1024 ** 3, `${SHARED}, config: {mds/mds_cache_memory_limit: 8589934592}`]
    const of = (settings: string) => {
      const view = viewOf(settings)
      return view.nodes.map(node => ceph.uses(view, node).memoryBytes / GiB)
    }
    const without = of('')
    const added = (settings: string) => of(settings).map((now, i) => now - (without[i] ?? 0))
    expect(added(SHARED)).toEqual([1.5, 1.5, 0, 0.5])
    expect(added(more)).toEqual([12, 12, 0, 0.5])
    const view = viewOf(SHARED)
    expect(ceph.uses(view, view.nodes[3]!).disk).toEqual([])
  })

  test('each node that mounts has a key of its own, for this file system alone', () => {
    const found = entities(viewOf(SHARED)).filter(({ name }) => /^(client\.cephfs|mds)\./.test(name))
    expect(found.map(({ name }) => name)).toEqual(['mds.cephfs.n1', 'mds.cephfs.n2', 'client.cephfs.n4'])
    expect(found.at(-1)!.caps).toEqual({
      mds: 'allow rw fsname=cephfs',
      mon: 'allow r fsname=cephfs',
      osd: 'allow rw tag cephfs data=cephfs',
    })
  })

  test.each([
    ['{on: worker, path: /srv/a}, {on: {gpu: yes}, path: /srv/a/b}', 'n4 would mount the file system twice'],
    ['{on: worker, path: /usr/share}', 'The file system cannot be mounted at /usr/share.'],
    ['{on: worker, path: /var/lib}', 'The file system cannot be mounted at /var/lib.'],
    ['{on: worker, path: /var/lib/ceph/x}', 'The file system cannot be mounted at /var/lib/ceph/x.'],
  ])('mounts that cannot be are refused: %s', (mounts, message) => {
    expect(refusal(viewOf(`file: {mounts: [${mounts}]}`))).toMatchObject({
      exit: 2,
      message: expect.stringContaining(message),
    })
  })

  test.each([
    'srv',
    '/',
    '/srv/',
    '/srv/../etc',
    '/srv/.x',
    '/srv/a b',
    '/srv/a:b',
  ])('%s is no path for one', path => {
    expect(() => viewOf(`file: {mounts: [{on: worker, path: '${path}'}]}`)).toThrow(
      'cluster.yaml has 1 mistake',
    )
  })

  test('a mount on nodes that the file does not have is a mistake', () => {
    expect(() => viewOf('file: {mounts: [{on: compute, path: /srv/x}]}')).toThrow(
      'cluster.yaml has 1 mistake',
    )
    expect(() => viewOf('block: {on: {rack: r9}}')).toThrow('cluster.yaml has 1 mistake')
  })

  test('a folder where something is, is left as it is; one that does not answer is no reason', () => {
    const view = viewOf(SHARED)
    expect(refusal(view, { state: 'in the way', why: 'it is not empty' })).toMatchObject({
      exit: 9,
      why: 'n4: /srv/shared: it is not empty',
    })
    expect(refusal(view, { state: 'hangs' })).toBeUndefined()
    expect(refusal(view, { state: 'free' })).toBeUndefined()
  })

  test('a file system that leaves the file is refused while nodes serve it; one that only mounts may leave', () => {
    const view = viewOf('')
    const unit =
      'unit\tMainPID=1\tLoadState=loaded\tActiveState=active\tUnitFileState=enabled\tNeedDaemonReload=no\n'
    const keeps = (name: string) => ({ n1: { kept: `kept\tceph\tunit\t${name}\t\n${unit}` } })
    expect(refusal(view, undefined, keeps('ceph-mds@cephfs.n1.service'))).toMatchObject({
      exit: 9,
      message: 'The file system is no longer in the file, and nothing was changed.',
    })
    expect(refusal(view, undefined, keeps('llmagentos-cephfs:srv:shared.service'))).toBeUndefined()
  })

  test('no two folders have one unit', () => {
    expect(mountUnit('/srv/a-b')).toBe('llmagentos-cephfs:srv:a-b.service')
    expect(mountUnit('/srv/a/b')).not.toBe(mountUnit('/srv/a-b'))
  })
})

describe('the way up', () => {
  test('pools, with placement groups; then servers, the file system, and mounts', () => {
    expect(says(SHARED, told({}))).toEqual([
      'n1: make the pool cephfs_metadata: 3 copies, 16 placement groups',
      'n1: make the pool cephfs_data: 3 copies, 32 placement groups',
    ])
    expect(says(SHARED, told({ pools: POOLS }), { servers: ['n1', 'n2'], mounts: ['n4'] })).toEqual([
      'n1: start',
      'n2: start',
      'n1: make the file system cephfs',
      'n1: wait until a metadata server serves the file system',
      'n4: mount',
    ])
  })

  test('nothing is begun while too few disks serve', () => {
    expect(says(SHARED, told({ pools: POOLS, osds: 2 }), { servers: ['n1', 'n2'] })).toEqual([])
  })

  test('the server that serves restarts last, and each is waited for', () => {
    const now = told({ pools: POOLS, active: ['cephfs.n1'], standbys: ['cephfs.n2'] })
    expect(says(SHARED, now, { servers: ['n1', 'n2'], risk: 'restart' })).toEqual([
      'n2: start',
      'n1: wait until the file system is served, and the metadata server of n2 is back',
      'n1: start',
      'n1: wait until the file system is served, and the metadata server of n1 is back',
    ])
  })

  test('the pool of block devices is made, then made ready, and then left alone', () => {
    const of = (pool?: object) =>
      blockWaves({
        view: viewOf('block: true'),
        up: { node: 'n1', told: told({ pools: pool ? [pool] : [] }) },
      })
        .flatMap(({ steps }) => steps)
        .map(one => one.says)
    expect(of()).toEqual(['make the pool rbd: 3 copies, 32 placement groups'])
    expect(of({ pool_name: 'rbd', application_metadata: { rbd: {} } })).toEqual([
      'make the pool rbd one of block devices',
    ])
    expect(of({ pool_name: 'rbd', application_metadata: { rbd: { llmagentos: 'ready' } } })).toEqual([])
  })
})

describe('status', () => {
  const found = (now: Told, look: Look = { state: 'answers', bytes: 2, free: 1 }) => {
    const view = viewOf(SHARED)
    return fileFindings(view, factsWith(view, look), now).map(
      ({ node, level, says }) => `${level} ${node ?? ''}: ${says}`,
    )
  }
  const both = { pools: POOLS, active: ['cephfs.n1'], standbys: ['cephfs.n2'] }

  test('one serves, one stands by, and the mount answers', () => {
    expect(found(told(both))).toEqual([
      'ok : The file system is served by n1, and n2 stands by.',
      'ok n4: The file system is mounted at /srv/shared, and answers.',
    ])
  })

  test('nobody stands by', () => {
    expect(found(told({ ...both, standbys: [] }))).toEqual([
      'warn : n1 alone serves the file system: when it goes, files wait until it is back.',
      'warn n2: Its metadata server is not there yet.',
      'ok n4: The file system is mounted at /srv/shared, and answers.',
    ])
  })

  test('nobody serves, or one is taking over', () => {
    expect(found(told({ ...both, active: [], standbys: [] }))[0]).toBe(
      'bad : No metadata server serves the file system: files wait until one is back.',
    )
    expect(found(told({ ...both, active: [], standbys: [], replaying: ['cephfs.n2'] }))[0]).toBe(
      'bad : n2 takes over the file system: files wait until it is done.',
    )
  })

  test('a mount that hangs is unknown, one that is dead or gone is bad', () => {
    expect(found(told(both), { state: 'hangs' })[1]).toBe(
      'unknown n4: /srv/shared does not answer: whoever uses it waits.',
    )
    expect(found(told(both), { state: 'dead', why: 'Transport endpoint is not connected' })[1]).toMatch(
      /^bad n4: The mount/,
    )
    expect(found(told(both), { state: 'free' })[1]).toBe(
      'bad n4: The file system is not mounted at /srv/shared.',
    )
  })
})
