import { expect, test } from 'vitest'
import { parse } from '../../../../src/provision/cluster/load.ts'
import { base } from '../../../../src/provision/components/base/index.ts'
import { ceph } from '../../../../src/provision/components/ceph/index.ts'
import { monWaves } from '../../../../src/provision/components/ceph/mons.ts'
import { heldQuorum } from '../../../../src/provision/components/ceph/names.ts'
import type { Config } from '../../../../src/provision/components/ceph/schema.ts'
import { stores } from '../../../../src/provision/components/ceph/stores.ts'
import type { View } from '../../../../src/provision/components/component.ts'
import type { Fact, Facts } from '../../../../src/provision/facts/fact.ts'
import { kept } from '../../../../src/provision/facts/kept.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'

const NODES = ['n1', 'n2', 'n3']

test('the others, of whom most have their store, are waited for: they choose a leader for some seconds', () => {
  const [wave, ...more] = waves({ lacking: ['n2'] })
  expect(more).toEqual([])
  expect(wave!.steps.map(({ node, says }) => `${node}: ${says}`)).toEqual([
    'n1: wait until n1, n3 have a quorum',
    'n3: wait until n1, n3 have a quorum',
  ])
})

test('where most have lost their store nothing is made anew', () => {
  expect(() => waves({ lacking: ['n1', 'n2'] })).toThrow(
    expect.objectContaining({ exit: 9, message: expect.stringContaining('the store of n1, n2 is gone') }),
  )
})

/** Mons that have had a quorum, and tell of none now. */
function waves({ lacking }: { lacking: string[] }) {
  const nodes = NODES.map(
    (name, i) => `  - {name: ${name}, address: 10.0.0.1${i}, roles: [control, storage]}\n`,
  )
  const text = `name: story\nrecovery: none\nssh: {user: ops}\nnodes:\n${nodes.join('')}components: {ceph: {}}\n`
  const components = [base, ceph]
  const cluster = parse(text, { env: {}, components })
  const part = partsOf(cluster, { components, nodes: cluster.nodes }).find(p => p.component.name === 'ceph')!
  const answer = (node: string, { id }: Fact<unknown>) =>
    id === kept.id
      ? { entries: [heldQuorum(node)] }
      : id === stores.id
        ? { mons: lacking.includes(node) ? [] : [node], cephadm: [] }
        : lacking.includes(node)
          ? { state: 'none' }
          : { state: 'no quorum', local: null }
  const facts = {
    get: answer,
    peek: (node: string, fact: Fact<unknown>) => ({ known: true, value: answer(node, fact) }),
  } as unknown as Facts
  return monWaves({ view: part.view as View<Config>, facts, starts: new Map() })
}
