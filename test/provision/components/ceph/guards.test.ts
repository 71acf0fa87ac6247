import { describe, expect, test } from 'vitest'
import { parse } from '../../../../src/provision/cluster/load.ts'
import { base } from '../../../../src/provision/components/base/index.ts'
import { growSteps } from '../../../../src/provision/components/ceph/groups.ts'
import { ceph } from '../../../../src/provision/components/ceph/index.ts'
import { monWaves } from '../../../../src/provision/components/ceph/mons.ts'
import { heldMon, heldQuorum, unitOf } from '../../../../src/provision/components/ceph/names.ts'
import { beyond } from '../../../../src/provision/components/ceph/osds/remove.ts'
import type { Config } from '../../../../src/provision/components/ceph/schema.ts'
import { stores } from '../../../../src/provision/components/ceph/stores.ts'
import type { Told } from '../../../../src/provision/components/ceph/told.ts'
import type { View } from '../../../../src/provision/components/component.ts'
import type { Fact, Facts } from '../../../../src/provision/facts/fact.ts'
import { kept } from '../../../../src/provision/facts/kept.ts'
import type { Left, Wave } from '../../../../src/provision/reconcile/step.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'
import { Secret } from '../../../../src/secret.ts'

describe('a monitor on a node that is no control node any more', () => {
  const n3 = [heldMon('n3'), heldQuorum('n3'), unit('mon'), unit('mgr')]

  test('stops up, which names the verb', () => {
    const view = viewOf({ control: ['n1'] })
    expect(() => ceph.refuse!(view, factsOf({ held: { n3 } }))).toThrow(
      expect.objectContaining({ exit: 9, next: expect.stringContaining('llmagentos node demote n3') }),
    )
    expect(() => ceph.refuse!(view, factsOf({ held: {} }))).not.toThrow()
  })

  test('leaves the map first, then the others are waited for, then all of it goes from the node', () => {
    const waves = ceph.leave!(
      viewOf({ control: ['n1'] }),
      factsOf({ map: ['n1', 'n2', 'n3'], held: { n3 } }),
      'n3',
    )
    expect(says(waves)).toEqual([
      'n1 destroy take the monitor n3 out of the map, if the others keep their majority',
      'n1 add wait until n1, n2 have a quorum',
      'n3 destroy stop its monitor and manager, and remove /var/lib/ceph/mon/ceph-n3',
      'n1 destroy let the manager of n3 in no more',
    ])
    expect(waves[1]!.steps[0]!.takes).toEqual(n3)
  })

  test('that does not answer leaves the map all the same; and of one that has left already the rest goes', () => {
    const view = viewOf({ control: ['n1'] })
    expect(
      says(ceph.leave!(view, factsOf({ map: ['n1', 'n3'], silent: ['n3'], managers: [] }), 'n3')),
    ).toEqual([
      'n1 destroy take the monitor n3 out of the map, if the others keep their majority',
      'n1 add wait until its monitor is in the quorum',
    ])
    expect(says(ceph.leave!(view, factsOf({ map: ['n1'], held: { n3 }, managers: [] }), 'n3'))).toEqual([
      'n3 destroy stop its monitor and manager, and remove /var/lib/ceph/mon/ceph-n3',
    ])
    expect(ceph.leave!(view, factsOf({ map: ['n1'], managers: [] }), 'n3')).toEqual([])
  })

  test('and is one again, but out of the map, joins with a new store', () => {
    const held = Object.fromEntries(['n1', 'n2', 'n3'].map(name => [name, [heldMon(name), heldQuorum(name)]]))
    const view = viewOf({ control: ['n1', 'n2', 'n3'] })
    const waves = monWaves({ view, facts: factsOf({ map: ['n1', 'n2'], held }), starts: new Map() })
    expect(says(waves)).toEqual([
      'n3 change remove /var/lib/ceph/mon/ceph-n3: it was taken out of the map',
      'n3 add make the monitor n3, by the map of those that run',
    ])
  })
})

describe('placement groups', () => {
  const told = (o: { pg_num: number; pg_num_target?: number; mode?: string; health?: string }) =>
    ({
      osds: { pools: [{ pool_name: 'p', pg_autoscale_mode: o.mode ?? 'on', ...o }] },
      health: {
        checks: {
          MGR_MODULE_DEPENDENCY: { summary: { message: 'some' }, detail: [{ message: o.health ?? '' }] },
        },
      },
    }) as unknown as Told
  const steps = (one: Told, wanted = 64) =>
    growSteps({ node: 'n1', told: one }, 'p', wanted).map(({ says }) => says)
  const broken =
    "Module 'pg_autoscaler' has failed dependency: PyO3 modules do not yet support subinterpreters"

  test('grow with the disks where Ceph does not see to it', () => {
    const grown = ['grow the pool p from 32 to 64 placement groups: more disks serve']
    expect(steps(told({ pg_num: 32, health: broken }))).toEqual(grown)
    expect(steps(told({ pg_num: 32, mode: 'off' }))).toEqual(grown)
    expect(steps(told({ pg_num: 32 }))).toEqual([])
  })

  test('are on their way once it was said, and are never made fewer', () => {
    expect(steps(told({ pg_num: 40, pg_num_target: 64, health: broken }))).toEqual([])
    expect(steps(told({ pg_num: 128, health: broken }))).toEqual([])
  })
})

test('an OSD that listens above the ports of a node with fewer disks is found by any of its addresses', () => {
  const at = (port: number) => ({ addrvec: [{ type: 'v2', addr: `10.0.0.1:${port}` }] })
  const osd = (id: number, o: object) => ({ osd: id, uuid: '', up: 1, in: 1, public_addrs: at(6801), ...o })
  const osds = [osd(0, {}), osd(1, { heartbeat_front_addrs: at(6813) }), osd(2, { cluster_addrs: at(6813) })]
  expect(beyond({ osds }, [0, 1], 6811)).toEqual([1])
})

function unit(daemon: 'mon' | 'mgr'): Left {
  return { component: 'ceph', kind: 'unit', name: unitOf(daemon, 'n3') }
}

const says = (waves: Wave[]) =>
  waves.flatMap(wave => wave.steps.map(({ node, risk, says }) => `${node} ${risk} ${says}`))

/** Three storage nodes without disks, some of which are control nodes. */
function viewOf({ control }: { control: string[] }): View<Config> {
  const nodes = ['n1', 'n2', 'n3'].map((name, i) => {
    const roles = control.includes(name) ? 'control, storage' : 'storage'
    return `  - {name: ${name}, address: 10.0.0.1${i}, roles: [${roles}]}\n`
  })
  const text = `name: story\nrecovery: none\nssh: {user: ops}\nnodes:\n${nodes.join('')}components: {ceph: {allowEndOfLife: true}}\n`
  const components = [base, ceph]
  const cluster = parse(text, { env: {}, components })
  const part = partsOf(cluster, { components, nodes: cluster.nodes }).find(p => p.component.name === 'ceph')!
  return { ...part.view, secret: () => new Secret('x') } as View<Config>
}

/** A cluster that runs, with the mons of `map` all in the quorum; what manifests hold, and who tells nothing. */
function factsOf(o: {
  map?: string[]
  held?: Record<string, Left[]>
  silent?: string[]
  managers?: string[]
}): Facts {
  const { map = ['n1', 'n2', 'n3'], managers = ['n1', 'n2', 'n3'] } = o
  const told = {
    state: 'up',
    status: { quorum_names: map },
    mons: { mons: map.map(name => ({ name })) },
    auth: Object.fromEntries(managers.map(name => [`mgr.${name}`, {}])),
  }
  const answer = (node: string, { id }: Fact<unknown>): unknown => {
    if (id === kept.id) return { entries: o.held?.[node] ?? [] }
    if (id === stores.id) return { mons: o.held?.[node]?.length ? [node] : [], cephadm: [] }
    return id.startsWith('what the monitors say') ? told : undefined
  }
  return {
    get: answer,
    peek: (node: string, fact: Fact<unknown>) => {
      const value = o.silent?.includes(node) ? undefined : answer(node, fact)
      return value === undefined ? { known: false, why: 'it is away' } : { known: true, value }
    },
  } as unknown as Facts
}
