import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { parse } from '../../../../src/provision/cluster/load.ts'
import { namesFact } from '../../../../src/provision/components/base/addresses.ts'
import { wantedRules } from '../../../../src/provision/components/base/firewall/index.ts'
import { base } from '../../../../src/provision/components/base/index.ts'
import type { Port, View } from '../../../../src/provision/components/component.ts'
import { goneSteps } from '../../../../src/provision/os/index.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'
import { BARE, factsOf, finished } from '../../os/node.ts'

/** Facts in, steps out, for the node n1 of a cluster. */
interface Case {
  case: string
  /** Lines of cluster.yaml beside name and nodes. */
  settings?: string
  /** How many there are; 3. */
  nodes?: number
  ports?: Omit<Port, 'node' | 'by' | 'path'>[]
  exactTime?: boolean
  /** What n1 prints, by fact, where it differs from a bare container. */
  prints?: Record<string, string>
  /** It is finished, for a file without `settings`, when it printed this. */
  keeps?: Record<string, string>
  /** All steps, or some of them. */
  steps?: string[]
  includes?: string[]
  leaves?: string[]
  stopped?: string[]
  /** Some of what judge says. */
  finds?: string[]
  texts?: Record<string, string>
}

const folder = join(import.meta.dirname, 'cases')

describe.each(readdirSync(folder))('%s', file => {
  const cases: Case[] = parseYaml(readFileSync(join(folder, file), 'utf8'))

  test.each(cases.map(c => [c.case, c] as const))('%s', (_, c) => {
    const view = viewOf(c)
    const facts = factsOf({ n1: { ...printed(view, c), ...kept(c), ...fromCase(view, c) } })
    const waves = base.plan(view, facts)
    const steps = waves.flatMap(wave => wave.steps)
    const says = steps.map(step => step.says)
    if (c.steps) expect(says).toEqual(c.steps)
    if (c.includes) expect(says).toEqual(expect.arrayContaining(c.includes))
    expect(waves.flatMap(wave => wave.stopped?.map(({ why }) => why) ?? [])).toEqual(c.stopped ?? [])
    const found = base.judge(view, facts).map(({ level, says }) => `${level} ${says}`)
    expect(found).toEqual(expect.arrayContaining(c.finds ?? []))
    for (const [path, text] of Object.entries(c.texts ?? {}))
      expect(steps.find(({ act }) => act.do === 'write' && act.path === path)?.act).toMatchObject({ text })
    if (c.leaves) {
      const items = base.items(view, facts, view.nodes[0]!)
      const gone = goneSteps({ node: 'n1', component: 'base', items, facts })
      expect(gone.map(step => step.says)).toEqual(c.leaves)
    }
  })
})

function viewOf(c: Case): View<unknown> {
  const all = [1, 2, 3].slice(0, c.nodes ?? 3)
  const nodes = all.map(
    i => `  - {name: n${i}, address: 10.0.0.1${i}, roles: [${i === 1 ? 'control' : 'worker'}]}`,
  )
  const text = `name: story\nrecovery: none\nssh: {user: ops}\n${c.settings ?? ''}\nnodes:\n${nodes.join('\n')}\n`
  const cluster = parse(text, { env: {}, components: [base] })
  const [part] = partsOf(cluster, { components: [base], nodes: cluster.nodes.slice(0, 1) })
  const ports = (c.ports ?? []).map(port => ({ ...port, node: 'n1', by: 'the story', path: [] }))
  return { ...part!.view, ports, exactTime: new Set(c.exactTime ? ['n1'] : []) }
}

/** A container of trixie that nobody has been on, and whose names mean what they should. */
function printed(view: View<unknown>, c: Case): Record<string, string> {
  const names = view.cluster.nodes.map(n => `${n.name}.${view.cluster.network.domain}\t${n.address} \n`)
  return {
    ...BARE,
    time: 'capabilities=00000000fdecbfff\nservice=\nsynchronised=yes\n',
    'template of /etc/hosts': 'no\n',
    firewall: 'trials=0\n',
    'ports of sshd': 'ssh=22\n',
    reboot: 'wanted=\nrunning=6.12\n',
    os: 'id=debian\nversion=13\ncodename=trixie\nsays=Debian\narchitecture=amd64\nkernel=6.12\ninit=systemd\nstate=running\n',
    [namesFact(view).id]: `host\t127.0.1.1 \n${c.prints?.['names'] ?? names.join('')}`,
  }
}

function kept(c: Case): Record<string, string> {
  if (!c.keeps) return {}
  const view = viewOf({ ...c, settings: '', nodes: 3 })
  const facts = factsOf({ n1: { ...printed(view, c), ...c.keeps } })
  return finished('base', base.items(view, facts, view.nodes[0]!))
}

function fromCase(view: View<unknown>, c: Case): Record<string, string> {
  const { names: _, ...prints } = c.prints ?? {}
  const digest = wantedRules(view, factsOf({ n1: printed(view, c) }), view.nodes[0]!)?.digest ?? 'other'
  return Object.fromEntries(Object.entries(prints).map(([id, text]) => [id, text.replace('WANTED', digest)]))
}
