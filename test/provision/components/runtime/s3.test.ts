import { afterAll, expect, test } from 'vitest'
import type { DataConfig } from '../../../../src/contracts/config.ts'
import type { WantedNode } from '../../../../src/provision/cluster/cluster.ts'
import { base } from '../../../../src/provision/components/base/index.ts'
import type { Component, Grant } from '../../../../src/provision/components/component.ts'
import { runtime } from '../../../../src/provision/components/runtime/index.ts'
import type { Item } from '../../../../src/provision/os/item.ts'
import { factsOf, type Printed } from '../../os/node.ts'
import { forget } from '../certified.ts'
import { bare, done, HELD, jobsPrinted, viewOf } from './site.ts'

afterAll(forget)

/** A stand-in for what gives object storage, with a gateway on each of three nodes; the node's own first. */
const storage: Component = {
  ...base,
  name: 'storage',
  gives: ['s3'],
  offers: (_view, from) =>
    ['n1', 'n2', 'n3']
      .toSorted((a, b) => Number(b === from) - Number(a === from))
      .map(name => ({ host: `${name}.story.internal`, port: 7480 })),
}
const withS3 = (more = '') => viewOf(3, [], more, [storage])
const view = withS3()
const all = (printed: object) => ({ n1: printed, n2: printed, n3: printed }) as Printed
const ready = (name: string) => done(3, name, { view, embedded: false })
const finished = { n1: ready('n1'), n2: ready('n2'), n3: ready('n3') }

test('a new cluster keeps nothing on the disk of one machine: data runs on each control node, task on the first', () => {
  expect(usersOn(plan(all(bare)))).toMatchObject({
    data: ['n1', 'n2', 'n3'],
    auth: ['n1', 'n2', 'n3'],
    task: ['n1'],
    gateway: ['n1', 'n2', 'n3'],
  })
  expect(says(plan(all(bare))).join()).not.toContain('keep the store')
})

test('the data service asks for buckets of its own, and comes with a secret key that only systemd hands on', () => {
  const grants: Grant[] = runtime.asks!(view)
  const buckets = { tasks: 'story-tasks', data: 'story-data', kb: 'story-kb', sys: 'story-sys' }
  expect(grants).toEqual([{ of: 's3', as: 'data', buckets: Object.values(buckets) }])
  expect(runtime.secrets!(view)).toContain('s3-data')
  const items = itemsOn('n2', finished)
  expect(dataOf(items).store).toEqual({
    s3: {
      endpoints: ['n2', 'n1', 'n3'].map(name => ({ host: `${name}.story.internal`, port: 7480 })),
      tls: { ca: '/etc/llmagentos/ca.crt' },
      buckets,
      accessKey: 'data',
      secretKeyFile: 'credential:s3',
    },
  })
  expect(fileOf(items, '/etc/systemd/system/llmagentos-data.service')?.text).toContain(
    '\nLoadCredential=s3:/etc/llmagentos/s3-data\n',
  )
  expect(fileOf(items, '/etc/llmagentos/s3-data')).toMatchObject({ mode: 0o600, owner: 'root:root' })
})

test('every service knows every instance of data, its own node’s first', () => {
  const config = JSON.parse(String(fileOf(itemsOn('n3', finished), '/etc/llmagentos/llm.json')!.text))
  const { services } = config.services[0].config as DataConfig
  expect(services['data']).toEqual(
    ['10.0.0.12', '10.0.0.10', '10.0.0.11'].map(host => ({ host, port: expect.any(Number) })),
  )
})

test('three finished machines have nothing to do, and are well', () => {
  expect(plan(finished)).toEqual([])
  const found = runtime.judge(view, factsOf(finished))
  expect(found.filter(({ level }) => level !== 'ok')).toEqual([])
  expect(found.map(one => one.says)).toContain(
    'The store is object storage, at n1.story.internal:7480 and 2 more; without a broker tasks are worked off on n1 alone.',
  )
})

test('so many instances of data as the file says', () => {
  const two = viewOf(3, [], '', [storage])
  two.config.replicas.data = 2
  expect(usersOn(runtime.plan(two, factsOf(all(bare))))['data']).toEqual(['n1', 'n2'])
})

test('task stays where it is when the file is ordered anew', () => {
  const task = /llmagentos-task/
  const moved = { ...finished, n1: bare, n2: ready('n1') }
  expect(itemsOn('n2', moved).some(item => 'name' in item && task.test(item.name))).toBe(true)
  expect(itemsOn('n1', moved).some(item => 'name' in item && task.test(item.name))).toBe(false)
})

test('what is known of the others is enough while one machine is away', () => {
  const facts = factsOf({ n1: {}, n2: finished.n2, n3: finished.n3 })
  const waves = runtime.plan(view, facts)
  expect(waves.flatMap(wave => wave.steps)).toEqual([])
  expect(waves.flatMap(wave => wave.stopped?.map(({ node }) => node) ?? [])).toEqual(['n1'])
})

test('a store that is on a disk stays there when there is object storage, and the way there is named', () => {
  const before = { n1: done(3, 'n1'), n2: done(3, 'n2'), n3: done(3, 'n3') }
  expect(says(plan(before))).toEqual([
    'write /etc/llmagentos/s3-data: what the object storage knows data by',
    'write /etc/llmagentos/store.json: where the store can be moved to',
  ])
  const alone = { ...before, n1: done(3, 'n1', { view }) }
  expect(plan(alone)).toEqual([])
  const { text } = fileOf(itemsOn('n1', alone), '/etc/llmagentos/store.json')!
  expect(JSON.parse(String(text))).toMatchObject({ s3: { secretKeyFile: '/etc/llmagentos/s3-data' } })
  expect(runtime.judge(view, factsOf(alone))).toContainEqual({
    level: 'warn',
    node: 'n1',
    says: expect.stringContaining('on the disk of n1 alone (one copy)'),
    fix: expect.stringContaining(
      'data migrate --from /var/lib/llmagentos-data/store --to /etc/llmagentos/store.json',
    ),
  })
})

test('a store that was moved is used where it is now, by as many as there may be', () => {
  const yes = { 'store was moved': 'yes' }
  const moved = { n1: { ...done(3, 'n1'), ...yes }, n2: done(3, 'n2'), n3: done(3, 'n3') }
  expect(dataOf(itemsOn('n1', moved)).store).toHaveProperty('s3')
  expect(usersOn(plan(moved))['data']).toEqual(['n2', 'n3'])
  expect(says(plan(moved)).join()).not.toContain('keep the store')
})

test('nothing is decided while a machine that may hold a store says nothing', () => {
  const waves = plan({ n1: bare, n2: {}, n3: bare })
  expect(waves.flatMap(wave => wave.steps)).toEqual([])
})

test('a file without what the store is in is refused, also by a machine that was moved from', () => {
  const gone = viewOf(3)
  const refused = expect.objectContaining({ exit: 9 })
  expect(() => runtime.refuse!(gone, factsOf(finished))).toThrow(refused)
  const moved = { ...all(bare), n2: { ...bare, kept: HELD, 'store was moved': 'yes' } }
  expect(() => runtime.refuse!(gone, factsOf(moved))).toThrow(refused)
  expect(() => runtime.refuse!(gone, factsOf(all({ ...bare, jobs: jobsPrinted({}) })))).not.toThrow()
})

const plan = (printed: Printed) => runtime.plan(view, factsOf(printed))
type Planned = ReturnType<typeof plan>
const says = (waves: Planned) => waves.flatMap(wave => wave.steps.map(step => step.says))

function usersOn(waves: Planned): Record<string, string[]> {
  const on: Record<string, string[]> = {}
  for (const { node, says: line } of waves.flatMap(wave => wave.steps)) {
    const [, service] = /^add user llmagentos-(\w+):/.exec(line) ?? []
    if (service) on[service] = [...(on[service] ?? []), node]
  }
  return on
}

const itemsOn = (name: string, printed: Printed): Item[] =>
  runtime.items(view, factsOf(printed), view.nodes.find((node: WantedNode) => node.name === name)!)
const fileOf = (items: Item[], path: string) =>
  items.flatMap(item => (item.kind === 'file' && item.path === path ? [item] : []))[0]
const dataOf = (items: Item[]): DataConfig =>
  JSON.parse(String(fileOf(items, '/etc/llmagentos/data.json')!.text)).services[0].config
