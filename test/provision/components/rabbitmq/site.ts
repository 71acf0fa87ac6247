import { parse } from '../../../../src/provision/cluster/load.ts'
import { base } from '../../../../src/provision/components/base/index.ts'
import type { Component, Grant, View } from '../../../../src/provision/components/component.ts'
import { rabbitmq } from '../../../../src/provision/components/rabbitmq/index.ts'
import { held } from '../../../../src/provision/components/rabbitmq/names.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'
import { Secret } from '../../../../src/secret.ts'
import { BARE, factsOf, finished, type Printed } from '../../os/node.ts'
import { authority, printedOf as certificatesOf } from '../certified.ts'
import { printed, type Said } from './said.ts'

export interface Wanted {
  nodes?: string[]
  settings?: string
  on?: string[]
  grants?: Record<string, unknown>[]
}

/** Where a node differs from one that is finished and healthy. */
export interface NodeNow {
  bare?: boolean
  suite?: string
  version?: string
  /** It is finished for these settings. */
  was?: string
  cookie?: string
  data?: string[]
  unit?: string
  broker?: 'down' | 'refused' | Said
}

type Config = Parameters<typeof rabbitmq.plan>[0]['config']
type Rabbit = Required<Pick<Component<Config>, 'refuse'>> & Component<Config>

export function siteOf(o: Wanted): { component: Rabbit; view: View<Config> } {
  const nodes = (o.nodes ?? ['control', 'control', 'control']).map(
    (role, i) => `  - {name: n${i + 1}, address: 10.0.0.1${i + 1}, roles: [${role}]}\n`,
  )
  const text = `name: story\nrecovery: none\nssh: {user: ops}\nnodes:\n${nodes.join('')}components: {rabbitmq: {${o.settings ?? ''}}}\n`
  const components = [base, rabbitmq, asking(o.grants ?? [])]
  const cluster = parse(text, { env: {}, components })
  const taking = cluster.nodes.filter(node => !o.on || o.on.includes(node.name))
  const part = partsOf(cluster, { components, nodes: taking }).find(p => p.component.name === 'rabbitmq')!
  const view = part.view as View<Config>
  return { component: rabbitmq as Rabbit, view: { ...view, secret: name => secretOf(name) } }
}

/** A stand-in for a component that asks for users. */
const asking = (grants: Record<string, unknown>[]): Component => ({
  ...base,
  name: 'asking',
  asks: () => grants.map(grant => ({ of: 'amqp', ...grant }) as Grant),
})

const secretOf = (name: string, cookie = 'cookie') =>
  new Secret(
    name === 'ca-certificate' ? authority : name === 'rabbitmq-cookie' ? cookie : `secret of ${name}`,
  )

export const printedOf = (view: View<Config>, now: Record<string, NodeNow>): Printed =>
  Object.fromEntries(view.nodes.map(node => [node.name, nodePrints(view, node.name, now[node.name] ?? {})]))

function nodePrints(view: View<Config>, name: string, now: NodeNow): Record<string, string> {
  const codename = now.suite ?? 'trixie'
  const always = {
    'version of RabbitMQ at hand': '',
    os: `id=debian\nversion=13\ncodename=${codename}\nsays=Debian\narchitecture=amd64\nkernel=6.12\ninit=systemd\nstate=running\n`,
    issued: '',
  }
  const data = (now.data ?? (now.bare ? [] : [`rabbit@${name}.story.internal`]))
    .map(one => `${one}\n`)
    .join('')
  if (now.bare)
    return { ...BARE, ...always, certificates: 'now 1\n', 'data of brokers': data, broker: 'none\n' }
  const version = now.version ?? '4.0.5-8'
  const packages = `installed\thold\tok\t${version}\trabbitmq-server\n`
  const was = now.was === undefined ? view : { ...view, config: siteOf({ settings: now.was }).view.config }
  const then: View<Config> = { ...was, secret: secret => secretOf(secret, now.cookie) }
  const node = view.nodes.find(one => one.name === name)!
  const items = rabbitmq.items(then, factsOf({ [name]: { packages, ...always } }), node)
  const { kept, ...rest } = finished('rabbitmq', items)
  const manifest = `kept\t${held.component}\t${held.kind}\t${held.name}\t\n${kept}`
  return {
    ...rest,
    ...always,
    kept: now.unit ? manifest.replaceAll('ActiveState=active', `ActiveState=${now.unit}`) : manifest,
    packages,
    certificates: certificatesOf(items.filter(item => item.kind === 'certificate')),
    'data of brokers': data,
    broker: told(view, now.broker),
  }
}

function told(view: View<Config>, now: NodeNow['broker']): string {
  if (now === 'down') return 'down\n'
  if (now === 'refused') return '/api/nodes\t401\t{}\n'
  const all = { configure: '.*', write: '.*', read: '.*' }
  const own = { configure: '^story\\.', write: '^story\\.', read: '^story\\.' }
  return printed({
    members: view.nodes.map(node => ({ name: `rabbit@${node.name}.story.internal` })),
    users: [
      { name: 'llmagentos', password: 'secret of rabbitmq-admin', tags: ['administrator'] },
      ...view.grants.map(({ as }) => ({ name: as, password: `secret of amqp-${as}` })),
    ],
    permissions: [
      { user: 'llmagentos', ...all },
      ...view.grants.map(({ as, of: _, ...rights }) => ({ user: as, ...own, ...rights })),
    ],
    ...now,
  })
}
