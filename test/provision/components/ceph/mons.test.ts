import { describe, expect, test } from 'vitest'
import { parse } from '../../../../src/provision/cluster/load.ts'
import { base } from '../../../../src/provision/components/base/index.ts'
import { healthOf } from '../../../../src/provision/components/ceph/health.ts'
import { ceph } from '../../../../src/provision/components/ceph/index.ts'
import { optionSteps } from '../../../../src/provision/components/ceph/options.ts'
import type { Config } from '../../../../src/provision/components/ceph/schema.ts'
import type { Told } from '../../../../src/provision/components/ceph/told.ts'
import type { View } from '../../../../src/provision/components/component.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'
import { BARE, factsOf, type Printed } from '../../os/node.ts'

describe('before anything is changed', () => {
  test('releases without fixes want a word in the file', () => {
    const view = viewOf('')
    expect(refusal(view, bare(view))).toMatchObject({
      exit: 2,
      message: 'The nodes would have Ceph 18 (reef), which gets no more fixes.',
    })
    const agreed = viewOf('allowEndOfLife: true')
    expect(refusal(agreed, bare(agreed))).toBeUndefined()
  })

  test('fewer than three storage nodes want one, too', () => {
    const view = viewOf('allowEndOfLife: true', { storage: 2 })
    expect(refusal(view, bare(view))).toMatchObject({
      exit: 2,
      message: 'Ceph would keep its data on 2 nodes: n1, n2.',
    })
  })

  test('nodes of two releases of Debian make no cluster', () => {
    const view = viewOf('allowEndOfLife: true')
    expect(refusal(view, bare(view, { n2: { os: system('bookworm') } }))).toMatchObject({ exit: 9 })
  })

  test('what another Ceph left is not taken over', () => {
    const view = viewOf('allowEndOfLife: true')
    const left = { 'stores of Ceph': 'mon ceph-n2\nfsid 11111111-2222-3333-4444-555555555555\n' }
    const found = refusal(view, bare(view, { n2: left }))
    expect(found).toMatchObject({
      exit: 9,
      message: 'n2 has Ceph that is not of this cluster, and nothing was changed.',
    })
    expect(found!.why).toContain('11111111-2222-3333-4444-555555555555')
  })

  test('a cluster does not begin while a control node that may have it is away', () => {
    const view = viewOf('allowEndOfLife: true', { on: ['n1', 'n2'] })
    expect(refusal(view, bare(view))).toMatchObject({ exit: 4, message: 'Ceph cannot begin without n3.' })
  })
})

describe('options', () => {
  const told = (o: Partial<Told>) => ({ config: [], kept: {}, ...o }) as unknown as Told
  const says = (settings: string, o: Partial<Told>) =>
    optionSteps(viewOf(settings), { node: 'n1', told: told(o) }).map(step => step.says)
  const set = (value: string) => ({ section: 'osd', name: 'osd_memory_target', value })
  const kept = (wanted: string, became: string) => ({
    'llmagentos/config/osd/osd_memory_target': JSON.stringify({ wanted, became }),
  })

  test('are set, and are right once Ceph has them, however it spells the value', () => {
    const wanted = 'config: {osd/osd_memory_target: 2Gi}'
    expect(says(wanted, {})).toEqual(['set osd_memory_target of osd to 2Gi'])
    expect(says(wanted, { config: [set('2147483648')], kept: kept('2Gi', '2147483648') })).toEqual([])
  })

  test('that somebody changed are put back', () => {
    const now = { config: [set('1')], kept: kept('2Gi', '2147483648') }
    expect(says('config: {osd/osd_memory_target: 2Gi}', now)).toEqual([
      'set osd_memory_target of osd to 2Gi, in place of 1',
    ])
  })

  test('that left the file are taken away, and those of others stay', () => {
    expect(says('', { config: [set('1')] })).toEqual([])
    expect(says('', { config: [set('1')], kept: kept('1', '1') })).toEqual([
      'take away osd_memory_target of osd: the file no longer says it',
    ])
  })
})

describe('warnings', () => {
  const health = (code: string, o: object) =>
    healthOf({ health: { status: 'HEALTH_WARN', checks: { [code]: o } } } as unknown as Told)

  test('of which the cause is the packages of Debian 13 are named as such', () => {
    const [found] = health('MGR_MODULE_DEPENDENCY', {
      severity: 'HEALTH_WARN',
      summary: { message: '1 mgr modules have failed dependencies' },
      detail: [
        {
          message:
            "Module 'balancer' has failed dependency: PyO3 modules do not yet support subinterpreters, see ...",
        },
      ],
    })
    expect(found!.level).toBe('warn')
    expect(found!.says).toContain(
      "Debian 13's Ceph cannot load 1 modules of its manager (balancer): a known defect",
    )
  })

  test('say what they mean and what to do, and an error is bad', () => {
    const [found] = health('PG_AVAILABILITY', {
      severity: 'HEALTH_ERR',
      summary: { message: 'Reduced data availability: 8 pgs inactive' },
    })
    expect(found).toEqual({
      level: 'bad',
      says: 'Reduced data availability: 8 pgs inactive (PG_AVAILABILITY): some data cannot be read or written now.',
      fix: 'Bring back the nodes that are down.',
    })
  })
})

function viewOf(settings: string, o: { storage?: number; on?: string[] } = {}): View<Config> {
  const nodes = ['n1', 'n2', 'n3'].map(
    (name, i) =>
      `  - {name: ${name}, address: 10.0.0.1${i + 1}, roles: [control${i < (o.storage ?? 3) ? ', storage' : ''}]}\n`,
  )
  const text = `name: story\nrecovery: none\nssh: {user: ops}\nnodes:\n${nodes.join('')}components: {ceph: {${settings}}}\n`
  const components = [base, ceph]
  const cluster = parse(text, { env: {}, components })
  const taking = cluster.nodes.filter(node => !o.on || o.on.includes(node.name))
  const part = partsOf(cluster, { components, nodes: taking }).find(p => p.component.name === 'ceph')!
  return part.view as View<Config>
}

function bare(view: View<Config>, also: Printed = {}) {
  const nodes = view.nodes.map(({ name }) => [
    name,
    { ...BARE, os: system('trixie'), 'versions of Ceph at hand': '', 'stores of Ceph': '', ...also[name] },
  ])
  return factsOf(Object.fromEntries(nodes))
}

const system = (codename: string) =>
  `id=debian\nversion=13\ncodename=${codename}\nsays=Debian\narchitecture=amd64\nkernel=6.12\ninit=systemd\nstate=running\n`

function refusal(view: View<Config>, facts: ReturnType<typeof bare>) {
  try {
    ceph.refuse!(view, facts)
    return undefined
  } catch (thrown) {
    return thrown as { exit: number; message: string; why?: string }
  }
}
