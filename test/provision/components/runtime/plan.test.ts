import { afterAll, expect, test } from 'vitest'
import { PROGRAMS } from '../../../../src/provision/artifacts/fact.ts'
import type { WantedNode } from '../../../../src/provision/cluster/cluster.ts'
import { runtime } from '../../../../src/provision/components/runtime/index.ts'
import { goneSteps } from '../../../../src/provision/os/index.ts'
import type { Item } from '../../../../src/provision/os/item.ts'
import { factsOf, type Printed } from '../../os/node.ts'
import { forget } from '../certified.ts'
import { bare, done, HELD, jobsPrinted, PORT, viewOf } from './site.ts'

afterAll(forget)

const VERSION = /-\d+\.\d+\.\d+(-[0-9a-f]{16})?-linux-\w+/

test('a bare machine gets programs, users and certificates first, because the rest waits for those', () => {
  const [programs, ...more] = plan({ n1: bare })
  expect(more).toEqual([])
  const says = programs!.steps.map(step => step.says.replace(VERSION, '-VERSION'))
  expect(says.slice(0, 7)).toEqual([
    'keep the store of the services here, in /var/lib/llmagentos-data',
    'write /etc/needrestart/conf.d/llmagentos-runtime.conf: needrestart leaves these units alone',
    'place node-VERSION at /opt/llmagentos/node: what our programs run on',
    'place llmagentos-VERSION at /opt/llmagentos/release: our programs',
    'write /usr/local/bin/llmagentos: the command, for people on the node',
    'place lancedb-VERSION at /opt/llmagentos/node_modules: the search index',
    'write /etc/systemd/system/llmagentos.slice: the most that our services may use together',
  ])
  expect(says.filter(line => line.startsWith('add user'))).toEqual([
    'add user llmagentos-data: whom data runs as',
    'add user llmagentos-auth: whom auth runs as',
    'add user llmagentos-worker: whom worker runs as',
    'add user llmagentos-llm: whom llm runs as',
    'add user llmagentos-task: whom task and executor run as',
    'add user llmagentos-gateway: whom gateway runs as',
    'add user llmagentos-signer: whom the signer of certificates runs as',
  ])
  expect(says.filter(line => /key/.test(line))).toHaveLength(9)
  expect(says.filter(line => /\.service/.test(line))).toEqual([])
})

test('a finished machine has nothing to do, and is well', () => {
  const facts = { n1: done() }
  expect(plan(facts)).toEqual([])
  const found = runtime.judge(viewOf(1), factsOf(facts))
  expect(found.map(({ level }) => level)).toEqual(['ok', 'ok', 'ok'])
})

test('a new release is placed, then one service after the other is restarted and waited for', () => {
  const now = done()
  const older = {
    ...now,
    placed: now.placed.replace(/llmagentos-[\d.]+-[0-9a-f]{16}/, 'llmagentos-0.0.9-0123456789abcdef'),
    kept: startedFrom('older', now.kept, name => name.endsWith('.service')),
  }
  const waves = plan({ n1: older }).map(wave => wave.steps.map(({ says, risk }) => `${risk} ${says}`))
  const restarted = (name: string) => [
    `restart restart llmagentos-${name}.service: its settings changed`,
    `change wait until ${name} is ready`,
  ]
  expect(waves).toEqual([
    [expect.stringMatching(/^change place llmagentos-.* at \/opt\/llmagentos\/release/)],
    ...['data', 'auth', 'worker', 'llm', 'task', 'gateway'].map(restarted),
    ['restart restart llmagentos-signer.service: its settings changed'],
  ])
})

test('a socket that changed is there before the gateway, which systemd stops and starts with it', () => {
  const now = done()
  const other = { ...now, kept: startedFrom('other', now.kept, name => name.endsWith('.socket')) }
  const waves = plan({ n1: other }).map(wave => wave.steps.map(({ says }) => says))
  expect(waves).toEqual([
    ['restart llmagentos-gateway.socket: its settings changed', 'wait until gateway is ready'],
  ])
})

test('replicas that serve are restarted one after the other, those that are new together', () => {
  const older = (name: string) => {
    const now = done(3, name)
    return { ...now, kept: startedFrom('older', now.kept, unit => unit.endsWith('.service')) }
  }
  const stopped = (name: string) => {
    const now = done(3, name)
    return { ...now, kept: now.kept.replaceAll('ActiveState=active', 'ActiveState=inactive') }
  }
  const says = (facts: Printed) => plan(facts).map(wave => wave.says)
  expect(says({ n1: older('n1'), n2: older('n2'), n3: older('n3') })).toEqual([
    'runtime: data on n1',
    ...['auth', 'worker', 'llm'].flatMap(name =>
      ['n1', 'n2', 'n3'].map(node => `runtime: ${name} on ${node}`),
    ),
    'runtime: task on n1',
    ...['gateway', 'signer'].flatMap(name => ['n1', 'n2', 'n3'].map(node => `runtime: ${name} on ${node}`)),
  ])
  expect(says({ n1: done(3, 'n1'), n2: stopped('n2'), n3: stopped('n3') })).toEqual([
    // The timer that looks after certificates.
    'runtime: programs and settings',
    'runtime: auth on n2, n3',
    'runtime: worker on n2, n3',
    'runtime: llm on n2, n3',
    'runtime: gateway on n2, n3',
    'runtime: signer on n2',
    'runtime: signer on n3',
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

test('keys of an earlier version, which the group could read, become the service’s alone and stay the same', () => {
  const now = done()
  const earlier = { ...now, certificates: now.certificates.replace(/ 8180 (\S+):(\S+)$/gm, ' 81a0 root:$2') }
  const [wave, ...more] = plan({ n1: earlier })
  expect(more).toEqual([])
  expect(wave!.steps.length).toBe(now.certificates.match(/^name /gm)?.length)
  for (const { says, act } of wave!.steps) {
    expect(says).toMatch(/^put back the key of \S+: it belongs to (llmagentos-\w+):\1 alone/)
    expect(act).toMatchObject({ argv: expect.arrayContaining(['600', 'keep']) })
  }
})

test('a key that others could read is made anew', () => {
  const now = done()
  for (const mode of ['81a4', '81b0']) {
    const open = { ...now, certificates: now.certificates.replace(/(name data) 8180/, `$1 ${mode}`) }
    const [step] = plan({ n1: open })[0]!.steps
    expect(step!.act).toMatchObject({ argv: expect.arrayContaining(['600', 'new']) })
  }
})

test('a gateway that runs and does not answer is judged', () => {
  const silent = { n1: { ...done(), [PORT]: 'no' } }
  expect(runtime.judge(viewOf(1), factsOf(silent))).toContainEqual(
    expect.objectContaining({ level: 'bad', says: 'The services run, and the gateway does not answer.' }),
  )
})

test('a node that could not renew its certificates is told of, and nothing is done about it', () => {
  const facts = { n1: { ...done(), jobs: jobsPrinted({ 'llmagentos-tend.service': 'failed' }) } }
  expect(plan(facts)).toEqual([])
  expect(runtime.judge(viewOf(1), factsOf(facts))).toContainEqual({
    level: 'warn',
    node: 'n1',
    says: 'Certificates could not be renewed at the last try.',
    fix: 'Look: llmagentos node logs n1 llmagentos-tend.service',
  })
})

test('what is used at most counts the services, the signer and what renews certificates', () => {
  const view = viewOf(2, ['control', 'worker'])
  const [control, worker] = view.nodes.map((node: WantedNode) => runtime.uses(view, node).memoryBytes)
  expect([control, worker]).toEqual([2560 * 1024 ** 2, 512 * 1024 ** 2])
})

test('the store stays where it is, however the file is ordered', () => {
  const facts = { n1: bare, n2: { ...bare, kept: HELD }, n3: bare }
  const data = plan(facts).flatMap(wave => wave.steps.filter(step => /user llmagentos-data/.test(step.says)))
  expect(data.map(step => step.node)).toEqual(['n2'])
})

test('a node that held the store and is no control node any more still has it', () => {
  const facts = factsOf({ n1: { ...bare, kept: HELD }, n2: bare, n3: bare })
  const waves = runtime.plan(viewOf(3, ['worker', 'control', 'worker']), facts)
  const data = waves.flatMap(wave => wave.steps.filter(step => /user llmagentos-data/.test(step.says)))
  expect(data.map(step => step.node)).toEqual(['n1'])
})

test('nothing is started while a control node that may hold the store says nothing', () => {
  const waves = plan({ n1: bare, n2: {}, n3: bare })
  expect(waves.flatMap(wave => wave.steps)).toEqual([])
  expect(waves.flatMap(wave => wave.stopped?.map(({ node }) => node) ?? [])).toEqual(['n1', 'n2', 'n3'])
})

test('the store is never among what leaves', () => {
  const facts = factsOf({ n1: done() })
  const gone = goneSteps({ node: 'n1', component: 'runtime', items: [], facts }).map(step => step.says)
  expect(gone).toContain('stop llmagentos-gateway.service: it is no longer needed')
  expect(gone).toContain('remove /opt/llmagentos/release: it is no longer needed')
  expect(gone.join()).not.toContain('/var/lib/llmagentos-data')
})

test('programs lie on every machine, services on those that run them', () => {
  const items: Item[] = runtime.items(viewOf(2, ['control', 'compute']), factsOf({ n1: bare, n2: bare }), {
    ...viewOf(2, ['control', 'compute']).nodes[1]!,
  })
  expect(items.map(({ kind }) => kind)).toEqual(['release', 'release', 'file'])
  expect(items.every(item => !('path' in item) || !item.path.startsWith(`${PROGRAMS}/node_modules`))).toBe(
    true,
  )
})

/** The manifest's answer where these units tell that they were started from something else. */
function startedFrom(inputs: string, kept: string, which: (name: string) => boolean): string {
  const names = [...kept.matchAll(/^kept\truntime\tunit\t(\S+)/gm)].map(([, name]) => name!)
  const pids = [...kept.matchAll(/^unit\tMainPID=(\d+)/gm)].map(([, pid]) => pid!)
  const changed = new Set(pids.filter((_, i) => which(names[i]!)))
  return kept.replace(/^inputs\t(\d+)\t.*$/gm, (line, pid) =>
    changed.has(pid) ? `inputs\t${pid}\t${inputs}` : line,
  )
}

const plan = (printed: Printed) => runtime.plan(viewOf(Object.keys(printed).length), factsOf(printed))
