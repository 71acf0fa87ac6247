import { familyOf } from '../../cluster/addresses.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import { type Facts, UnknownFact } from '../../facts/fact.ts'
import { sha256 } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { inputLines } from '../../os/unit.ts'
import { CA_FILE } from '../../secrets/authority.ts'
import { addressOf } from '../base/addresses.ts'
import type { View } from '../component.ts'
import { ADMIN, brokerName, CERTIFICATE_FILE, COOKIE_SECRET, KEY_FILE, PORTS, placed } from './names.ts'
import type { Config } from './schema.ts'
import { seriesOf, since4, versionOf } from './series.ts'

/** Texts of the files that a broker reads when it starts. */
export interface Texts {
  conf: string
  environment: string
  interNode: string
  plugins: string
  /** Who else may be there: read by a broker that has never run. */
  peers: string
  dropIn: string
  /** Of what a start reads: `SETTINGS-COOKIE`. A new list of peers restarts nobody. */
  inputs: string
}

const TLS = { authority: CA_FILE, certificate: CERTIFICATE_FILE, key: KEY_FILE }

export function textsOf(view: View<Config>, facts: Facts, node: WantedNode): Texts {
  const conf = confOf(view, facts, node)
  const environment = fill('rabbitmq/rabbitmq-env.conf', {
    name: brokerName(view.cluster, node),
    tuple: boundTo(view, facts, node).replaceAll('.', ','),
    port: PORTS.distribution,
  })
  const interNode = fill('rabbitmq/inter-node-tls.config', TLS)
  const plugins = '[rabbitmq_management,rabbitmq_prometheus].\n'
  const cookie = sha256(view.secret(COOKIE_SECRET)).slice(0, 12)
  const inputs = `${sha256(conf + environment + interNode + plugins).slice(0, 12)}-${cookie}`
  const dropIn = fill('rabbitmq/rabbitmq-server.service.d/llmagentos.conf', {
    inputs: { lines: [inputLines(inputs, { process: true }).trimEnd()] },
  })
  return { conf, environment, interNode, plugins, peers: peersOf(view), dropIn, inputs }
}

/** What two digests of `Texts.inputs` say about the cookies: brokers with unlike ones do not talk to each other. */
export const cookieIn = (inputs: string | undefined) => inputs?.split('-')[1]

function confOf(view: View<Config>, facts: Facts, node: WantedNode): string {
  const { cluster, config } = view
  const series = seriesOf(versionOf(node, facts) ?? '')
  return fill('rabbitmq/rabbitmq.conf', {
    ...TLS,
    cluster: cluster.name,
    address: boundTo(view, facts, node),
    port: config.port,
    management: PORTS.management,
    prometheus: PORTS.prometheus,
    partitions: placed(cluster, config).length > 2 ? 'pause_minority' : 'ignore',
    memory: config.memoryBytes,
    diskFree: config.diskFreeBytes,
    consumerTimeout: config.consumerTimeoutMs,
    series: { lines: since4(series) ? SINCE_4 : [] },
  })
}

/** Earlier ones know no default type. */
const SINCE_4 = ['default_queue_type = quorum']

function peersOf({ cluster, config }: View<Config>): string {
  const lines = placed(cluster, config).map(
    (node, i) => `cluster_formation.classic_config.nodes.${i + 1} = ${brokerName(cluster, node)}`,
  )
  return ['cluster_formation.peer_discovery_backend = classic_config', ...lines, ''].join('\n')
}

/** Makes our user in place of guest, on a broker that has never run. */
export const firstUser = (password: string) =>
  `default_user = ${ADMIN}\ndefault_pass = ${password}\ndefault_user_tags.administrator = true\n`

/** It never listens on all addresses. */
function boundTo(view: View<unknown>, facts: Facts, node: WantedNode): string {
  const address = addressOf(node, { view, facts, from: node })
  if (address && familyOf(address) === 'ipv4') return address
  const why = `${node.address} means no IPv4 address of its own on ${node.name}`
  throw new UnknownFact(node.name, { fact: 'the address that its broker listens on', why })
}
