import { expect, test } from 'vitest'
import { PROGRAMS } from '../../../../src/provision/artifacts/fact.ts'
import { parse } from '../../../../src/provision/cluster/load.ts'
import { runtime } from '../../../../src/provision/components/runtime/index.ts'
import { goneSteps } from '../../../../src/provision/os/index.ts'
import type { Item } from '../../../../src/provision/os/item.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'
import { BARE, factsOf, finished, type Printed } from '../../os/node.ts'

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64'
const OS = `id=debian\nversion=13\ncodename=trixie\nsays=Debian\narchitecture=${ARCHITECTURE}\nkernel=6.12\ninit=systemd\nstate=running\n`
const PORT = 'gateway on 7420'
const HELD = 'kept\truntime\theld\t/var/lib/llmagentos-runtime\t\n'
const bare = { ...BARE, os: OS, placed: '', [PORT]: 'no' }

test('a bare machine gets programs, settings and the services, in this order', () => {
  const [programs, services, ...more] = plan({ n1: bare })
  expect(more).toEqual([])
  expect(
    programs!.steps.map(step => step.says.replace(/-\d+\.\d+\.\d+(-[0-9a-f]{16})?-linux-\w+/, '-VERSION')),
  ).toEqual([
    'keep the store of the services here, in /var/lib/llmagentos-runtime',
    'write /etc/needrestart/conf.d/llmagentos-runtime.conf: needrestart leaves these units alone',
    'place node-VERSION at /opt/llmagentos/node: what our programs run on',
    'place llmagentos-VERSION at /opt/llmagentos/release: our programs',
    'write /usr/local/bin/llmagentos: the command, for people on the node',
    'add user llmagentos: whom the services run as',
    'place lancedb-VERSION at /opt/llmagentos/node_modules: the search index',
    'write /etc/llmagentos/runtime.json: which services run here, and how',
    'write /etc/systemd/system/llmagentos.service: the services',
  ])
  expect(services!.steps.map(step => step.says)).toEqual([
    'start llmagentos.service: the services',
    'wait until the gateway answers',
  ])
})

test('a finished machine has nothing to do, and is well', () => {
  const facts = { n1: done() }
  expect(plan(facts)).toEqual([])
  const found = runtime.judge(viewOf(1), factsOf(facts))
  expect(found.map(({ level }) => level)).toEqual(['ok', 'ok'])
})

test('a new release is placed, then the services are restarted and waited for', () => {
  const now = done()
  const older = {
    ...now,
    placed: now.placed.replace(/llmagentos-[\d.]+-[0-9a-f]{16}/, 'llmagentos-0.0.9-0123456789abcdef'),
    kept: now.kept.replace(/^inputs\t(\d+)\t.*$/m, 'inputs\t$1\tolder'),
  }
  const waves = plan({ n1: older }).map(wave => wave.steps.map(({ says, risk }) => `${risk} ${says}`))
  expect(waves).toEqual([
    [expect.stringMatching(/^change place llmagentos-.* at \/opt\/llmagentos\/release/)],
    ['restart restart llmagentos.service: its settings changed', 'change wait until the gateway answers'],
  ])
})

test('an artifact of which something is gone is cleared before it is put back', () => {
  const now = done()
  const damaged = { ...now, placed: now.placed.replace(/(release\t.*\t)10 100$/m, '$19 90') }
  const says = plan({ n1: damaged }).flatMap(wave => wave.steps.map(step => step.says))
  expect(says).toEqual([
    'clear /opt/llmagentos/release: some of it is gone or was changed',
    expect.stringMatching(/^put back llmagentos-/),
  ])
})

test('services that run and do not answer are waited for, and judged', () => {
  const silent = { n1: { ...done(), [PORT]: 'no' } }
  expect(plan(silent).flatMap(wave => wave.steps.map(step => step.says))).toEqual([
    'wait until the gateway answers',
  ])
  expect(runtime.judge(viewOf(1), factsOf(silent))).toContainEqual(
    expect.objectContaining({ level: 'bad', says: 'The services run, and the gateway does not answer.' }),
  )
})

test('the services stay where the store is, however the file is ordered', () => {
  const facts = { n1: bare, n2: { ...bare, kept: HELD }, n3: bare }
  const started = plan(facts).flatMap(wave => wave.steps.filter(step => step.act.do === 'wait'))
  expect(started.map(step => step.node)).toEqual(['n2'])
})

test('a node that held the store and is no control node any more still runs the services', () => {
  const view = viewOf(3, ['worker', 'control'])
  const facts = factsOf({ n1: { ...bare, kept: HELD }, n2: bare, n3: bare })
  const started = runtime.plan(view, facts).flatMap(wave => wave.steps.filter(step => step.act.do === 'wait'))
  expect(started.map(step => step.node)).toEqual(['n1'])
})

test('nothing is started while a control node that may hold the store says nothing', () => {
  const waves = plan({ n1: bare, n2: {}, n3: bare })
  expect(waves.flatMap(wave => wave.steps)).toEqual([])
  expect(waves.flatMap(wave => wave.stopped?.map(({ node }) => node) ?? [])).toEqual(['n1', 'n2', 'n3'])
})

test('the store is never among what leaves', () => {
  const facts = factsOf({ n1: done() })
  const gone = goneSteps({ node: 'n1', component: 'runtime', items: [], facts }).map(step => step.says)
  expect(gone).toContain('stop llmagentos.service: it is no longer needed')
  expect(gone).toContain('remove /opt/llmagentos/release: it is no longer needed')
  expect(gone.join()).not.toContain('llmagentos-runtime:')
  expect(gone.join()).not.toContain('/var/lib')
})

const plan = (printed: Printed) => runtime.plan(viewOf(Object.keys(printed).length), factsOf(printed))

function viewOf(count: number, roles: string[] = []) {
  const nodes = Array.from(
    { length: count },
    (_, i) =>
      `  - {name: n${i + 1}, address: 10.0.0.1${i}, roles: [${roles[i] ?? (roles.length > 0 ? 'worker' : 'control')}]}\n`,
  )
  const text = `name: story\nrecovery: none\nssh: {user: ops}\nnodes:\n${nodes.join('')}components:\n  runtime: {}\n`
  const cluster = parse(text, { env: {}, components: [runtime] })
  // biome-ignore lint/suspicious/noExplicitAny: a part's view knows no component's own type
  return partsOf(cluster, { components: [runtime], nodes: cluster.nodes })[0]!.view as any
}

/** What n1 prints once everything is there. */
function done() {
  const view = viewOf(1)
  const items: Item[] = runtime.items(view, factsOf({ n1: bare }), view.nodes[0])
  const placed = items.flatMap(item =>
    item.kind === 'release' ? [`${item.path}\t${item.artifact}\t10 100\t10 100`] : [],
  )
  expect(placed.every(line => line.startsWith(`${PROGRAMS}/`))).toBe(true)
  const all = finished('runtime', items)
  return {
    ...all,
    kept: all.kept.replace(/^/, HELD),
    os: OS,
    placed: `${placed.join('\n')}\n`,
    [PORT]: 'yes',
  }
}
