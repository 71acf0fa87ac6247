import { parse } from '../../../../src/provision/cluster/load.ts'
import { base } from '../../../../src/provision/components/base/index.ts'
import { ceph } from '../../../../src/provision/components/ceph/index.ts'
import type { Config } from '../../../../src/provision/components/ceph/schema.ts'
import type { View } from '../../../../src/provision/components/component.ts'
import type { Facts } from '../../../../src/provision/facts/fact.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'
import { Secret } from '../../../../src/secret.ts'
import { BARE, factsOf, type Printed } from '../../os/node.ts'

/** Ceph on n1, n2 and n3, which are control and storage nodes; `settings` stand in its block, `more` at the top. */
export function viewOf(settings: string, o: { more?: string; node?: string } = {}): View<Config> {
  const nodes = ['n1', 'n2', 'n3'].map(
    (name, i) =>
      `  - {name: ${name}, address: 10.0.0.1${i + 1}, roles: [control, storage]${o.node ? `, ${o.node}` : ''}}\n`,
  )
  const text = `name: story\nrecovery: none\nssh: {user: ops}\n${o.more ?? ''}nodes:\n${nodes.join('')}components:\n  ceph:\n    allowEndOfLife: true\n${settings
    .split('\n')
    .map(line => `    ${line}\n`)
    .join('')}`
  const components = [base, ceph]
  const cluster = parse(text, { env: {}, components })
  const part = partsOf(cluster, { components, nodes: cluster.nodes }).find(p => p.component.name === 'ceph')!
  return { ...(part.view as View<Config>), secret: () => new Secret('secret') }
}

/** What all three print, and by node what one prints else. */
export function told(codename: string, also: Record<string, string> = {}, one: Printed = {}): Facts {
  const system = `id=debian\nversion=0\ncodename=${codename}\nsays=Debian (${codename})\narchitecture=amd64\nkernel=6.1\ninit=systemd\nstate=running\n`
  const usual = { ...BARE, os: system, 'versions of Ceph at hand': '', 'stores of Ceph': '', ...also }
  return factsOf(Object.fromEntries(['n1', 'n2', 'n3'].map(name => [name, { ...usual, ...one[name] }])))
}

export function refusal(view: View<Config>, facts: Facts) {
  try {
    ceph.refuse!(view, facts)
    return undefined
  } catch (thrown) {
    return thrown as { exit: number; message: string; why?: string }
  }
}
