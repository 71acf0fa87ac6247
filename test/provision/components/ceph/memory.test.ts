import { expect, test } from 'vitest'
import { memory as concern } from '../../../../src/provision/check/memory.ts'
import { base } from '../../../../src/provision/components/base/index.ts'
import { ceph } from '../../../../src/provision/components/ceph/index.ts'
import type { Memory } from '../../../../src/provision/facts/memory.ts'
import { findings, siteOf, told } from '../../check/site.ts'

const GiB = 2 ** 30
const MiB = 2 ** 20

/** Of one node with these fields, as the block of Ceph says. */
const used = (node: string, block: string, totalGiB?: number) => {
  const site = siteOf([`components: {ceph: {${block}}}`], {
    nodes: [node, 'roles: [worker]', 'roles: [worker]'],
    components: [ceph],
  })
  const { view } = site.parts.find(part => part.component === ceph)!
  const facts = {
    peek: () =>
      totalGiB === undefined
        ? { known: false, why: 'no answer' }
        : { known: true, value: { totalBytes: totalGiB * GiB } },
  }
  return ceph.uses(view as never, site.nodes[0]!, facts as never).memoryBytes / MiB
}

test('daemons of the control node, disks and gateways are counted, each disk with what its OSD is told to use', () => {
  expect(used('roles: [control]', '')).toBe(1024)
  const disks = 'disks: [{id: a}, {id: b}, {id: c}]'
  expect(used(`roles: [control, storage], ${disks}`, 'object: {gateways: 0}', 64)).toBe(1024 + 3 * 4096)
  expect(used(`roles: [control, storage], ${disks}`, '', 12)).toBe(1024 + 512 + 3 * 2048)
  expect(used(`roles: [control, storage], ${disks}`, '')).toBe(1024 + 512 + 3 * 1024)
})

test('many disks on a machine with little memory stand against the cluster', () => {
  const many = Array.from({ length: 12 }, (_, i) => `{id: d${i}}`).join(', ')
  const site = siteOf(['components: {ceph: {}}'], {
    nodes: [`roles: [control, storage], disks: [${many}]`],
    components: [base, ceph],
  })
  const of = (totalBytes: number) =>
    told(
      findings(
        concern,
        site,
        () => ({ totalBytes, availableBytes: totalBytes, swapBytes: 0, cpus: 4 }) satisfies Memory,
      ),
    )
  expect(of(32 * GiB)).toEqual([])
  expect(of(8 * GiB)).toEqual([
    expect.stringMatching(/^bad n1: The cluster may use 13\.5 GiB of memory of 8 GiB/),
  ])
})
