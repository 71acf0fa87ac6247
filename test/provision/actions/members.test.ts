import { describe, expect, test } from 'vitest'
import { type Guard, guard } from '../../../src/provision/actions/members.ts'
import type { Cluster } from '../../../src/provision/cluster/cluster.ts'
import { parse } from '../../../src/provision/cluster/load.ts'
import { print } from '../../../src/provision/cluster/print.ts'
import { nextApplied } from '../../../src/provision/reconcile/applied.ts'
import { failureOf } from '../connections/failure-of.ts'

const cluster = (names: string[], labels = ''): Cluster =>
  parse(
    `name: m\nssh: {user: ops}\nnodes:\n${names
      .map(
        (name, i) =>
          `  - {name: ${name}, address: 10.0.0.${i + 1}, roles: [${i === 0 ? 'control' : 'worker'}]${labels}}\n`,
      )
      .join('')}`,
    { env: {} },
  )

const applied = (wanted: Cluster, number = 3) => ({
  number,
  when: '2026-01-01T00:00:00.000Z',
  who: 'bob@laptop',
  version: '0.1.0',
  nodes: wanted.nodes.map(({ name, address }) => ({ name, address })),
  file: print(wanted),
})

const two = cluster(['a', 'b'])
const guarded = (o: Partial<Guard>) => () =>
  guard({ cluster: two, last: applied(two), base: undefined, version: '0.1.0', forget: [], ...o })

const refusal = (o: Partial<Guard>) => failureOf(Promise.resolve().then(guarded(o)))

describe('a file may be applied', () => {
  test('to a cluster that nothing was ever applied to', async () => {
    expect(guarded({ last: null })).not.toThrow()
  })

  test('when it says what was applied last, wherever it comes from', async () => {
    expect(guarded({})).not.toThrow()
  })

  test('when it has the same nodes in another order, and then nothing new is remembered', async () => {
    const reordered = { ...two, nodes: two.nodes.toReversed() }
    expect(guarded({ cluster: reordered })).not.toThrow()
    const last = applied(two)
    const next = { cluster: reordered, last, who: 'ada@desk', version: '0.1.0', now: new Date() }
    expect(nextApplied(next)).toBe(last)
  })

  test('when it grew from what was applied last', async () => {
    const labelled = cluster(['a', 'b'], ', labels: {rack: r1}')
    expect(guarded({ cluster: labelled, base: applied(two) })).not.toThrow()
  })

  test('when the operator names the number that it replaces', async () => {
    const labelled = cluster(['a', 'b'], ', labels: {rack: r1}')
    expect(guarded({ cluster: labelled, replaceApplied: 3 })).not.toThrow()
  })
})

describe('a file is refused with 9', () => {
  test('when it grew from an older one: what both changed is shown', async () => {
    const theirs = cluster(['a', 'b'], ', labels: {rack: theirs}')
    const ours = cluster(['a', 'b'], ', labels: {rack: ours}')
    const failure = await refusal({ cluster: ours, last: applied(theirs, 4), base: applied(two) })
    expect(failure).toMatchObject({
      exit: 9,
      message:
        'cluster.yaml is not based on what was applied last: number 4, by bob@laptop, 2026-01-01T00:00:00.000Z.',
      next: 'Take over what you want to keep; to replace it: --replace-applied 4',
    })
    expect(failure.why).toMatch(
      /Since number 3[\s\S]*\+ +rack: theirs[\s\S]*Your file[\s\S]*- +rack: theirs\n\+ +rack: ours/,
    )
  })

  test('when nobody knows what it grew from, or the number that it replaces is not the last', async () => {
    const labelled = cluster(['a', 'b'], ', labels: {rack: r1}')
    expect(await refusal({ cluster: labelled })).toMatchObject({ exit: 9 })
    expect(await refusal({ cluster: labelled, replaceApplied: 2 })).toMatchObject({ exit: 9 })
  })

  test('when it no longer has a member; unless that one is given up by name', async () => {
    const last = applied(cluster(['a', 'b', 'c']))
    expect(await refusal({ last, base: last })).toMatchObject({
      exit: 9,
      message: 'cluster.yaml no longer has c, which the cluster has as a member.',
      next: 'Write it back; or, when the machine is gone for good, add --forget c.',
    })
    expect(guarded({ last, base: last, forget: ['c'] })).not.toThrow()
  })

  test('when it renames a member, and says so', async () => {
    const last = applied(two)
    expect(await refusal({ cluster: cluster(['a', 'x']), last, base: last })).toMatchObject({
      exit: 9,
      why: "b is now called x: a name is a node's identity and stays.",
    })
  })

  test.each([
    ['0.2.0', '0.10.0'],
    ['1.0.0-rc.1', '1.0.0'],
    ['0.9.9', '1.0.0'],
  ])('when llmagentos %s is older than the %s that applied it', async (version, theirs) => {
    expect(await refusal({ version, last: { ...applied(two), version: theirs } })).toMatchObject({
      exit: 9,
      next: `Use ${theirs} or newer.`,
    })
  })
})
