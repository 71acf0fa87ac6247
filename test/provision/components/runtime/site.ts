import { PROGRAMS } from '../../../../src/provision/artifacts/fact.ts'
import { parse } from '../../../../src/provision/cluster/load.ts'
import type { Component } from '../../../../src/provision/components/component.ts'
import { runtime } from '../../../../src/provision/components/runtime/index.ts'
import type { Item } from '../../../../src/provision/os/item.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'
import { Secret } from '../../../../src/secret.ts'
import { BARE, factsOf, finished } from '../../os/node.ts'
import { authority, printedOf } from '../certified.ts'

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64'
const OS = `id=debian\nversion=13\ncodename=trixie\nsays=Debian\narchitecture=${ARCHITECTURE}\nkernel=6.12\ninit=systemd\nstate=running\n`
export const PORT = 'gateway on 7420'
export const HELD = 'kept\truntime\theld\t/var/lib/llmagentos-data\t\n'
/** How the last runs of what runs now and then went; well unless said. */
export const jobsPrinted = (states: Record<string, string>) =>
  ['llmagentos-tend.service', 'llmagentos-gateway-tls.service']
    .map(unit => `Id=${unit}\nActiveState=${states[unit] ?? 'inactive'}\n`)
    .join('\n')

export const bare = {
  ...BARE,
  certificates: `now ${Math.ceil(Date.now() / 1000)}\n`,
  os: OS,
  placed: '',
  [PORT]: 'no',
  jobs: jobsPrinted({}),
  'store was moved': 'no',
}

export function viewOf(count: number, roles: string[] = [], more = '', givers: Component[] = []) {
  const nodes = Array.from(
    { length: count },
    (_, i) => `  - {name: n${i + 1}, address: 10.0.0.1${i}, roles: [${roles[i] ?? 'control'}]}\n`,
  )
  const text = `name: story\nrecovery: none\nssh: {user: ops}\nnodes:\n${nodes.join('')}${more}components:\n  runtime: {}\n`
  const components = [runtime, ...givers]
  const cluster = parse(text, { env: {}, components })
  const { view } = partsOf(cluster, { components, nodes: cluster.nodes }).at(-1)!
  const secret = (name: string) => new Secret(name === 'ca-certificate' ? authority : `secret of ${name}`)
  // biome-ignore lint/suspicious/noExplicitAny: a part's view knows no component's own type
  return { ...view, secret } as any
}

/** What a node of `count` prints once everything is there; an embedded store is on n1. */
export function done(
  count = 1,
  name = 'n1',
  o: { view?: ReturnType<typeof viewOf>; embedded?: boolean } = {},
) {
  const { view = viewOf(count), embedded = true } = o
  const held = embedded && name === 'n1'
  const before = Object.fromEntries(
    view.nodes.map((node: { name: string }) => [
      node.name,
      embedded && node.name === 'n1' ? { ...bare, kept: HELD } : bare,
    ]),
  )
  const node = view.nodes.find((one: { name: string }) => one.name === name)
  const items: Item[] = runtime.items(view, factsOf(before), node)
  const placed = items.flatMap(item =>
    item.kind === 'release' ? [`${item.path}\t${item.artifact}\t10 100\t10 100`] : [],
  )
  if (!placed.every(line => line.startsWith(`${PROGRAMS}/`))) throw new Error('a program lies elsewhere')
  const all = finished('runtime', items)
  return {
    ...all,
    kept: held ? all.kept.replace(/^/, HELD) : all.kept,
    certificates: printedOf(items.filter(item => item.kind === 'certificate')),
    os: OS,
    placed: `${placed.join('\n')}\n`,
    [PORT]: 'yes',
    jobs: jobsPrinted({}),
    'store was moved': 'no',
  }
}
