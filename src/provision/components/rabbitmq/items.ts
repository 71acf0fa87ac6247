import { Secret } from '../../../secret.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import type { Item } from '../../os/item.ts'
import { type CertificateItem, certificate } from '../../secrets/certificates/item.ts'
import type { View } from '../component.ts'
import { firstUser, textsOf } from './conf.ts'
import {
  ADMIN,
  ADMIN_SECRET,
  AUTHORIZATION,
  CERTIFICATE,
  COOKIE_SECRET,
  PACKAGE,
  PORTS,
  UNIT,
} from './names.ts'
import type { Config } from './schema.ts'

/** A broker on a node. Nothing starts it before its cookie, its certificate and its settings are there. */
export function items(view: View<Config>, facts: Facts, node: WantedNode): Item[] {
  const texts = textsOf(view, facts, node)
  const password = view.secret(ADMIN_SECRET).reveal()
  const authorization = Buffer.from(`${ADMIN}:${password}`).toString('base64')
  const file = { kind: 'file', mode: 0o644, owner: 'root:root' } as const
  const own = { kind: 'file', mode: 0o600, owner: 'rabbitmq:rabbitmq' } as const
  return [
    { kind: 'package', names: [PACKAGE], held: true, says: 'the message broker' },
    {
      ...own,
      path: '/var/lib/rabbitmq/.erlang.cookie',
      text: view.secret(COOKIE_SECRET),
      mode: 0o400,
      says: 'what brokers know each other by',
    },
    ...certificates(view, node),
    { ...file, path: '/etc/rabbitmq/rabbitmq.conf', text: texts.conf, says: 'settings of the broker' },
    {
      ...file,
      path: '/etc/rabbitmq/rabbitmq-env.conf',
      text: texts.environment,
      says: 'its name, and TLS between brokers',
    },
    {
      ...file,
      path: '/etc/rabbitmq/inter-node-tls.config',
      text: texts.interNode,
      says: 'TLS between brokers',
    },
    {
      ...file,
      path: '/etc/rabbitmq/enabled_plugins',
      text: texts.plugins,
      says: 'management and metrics, on loopback',
    },
    {
      ...file,
      path: '/etc/rabbitmq/conf.d/20-llmagentos-peers.conf',
      text: texts.peers,
      says: 'the other brokers',
    },
    {
      ...own,
      path: '/etc/rabbitmq/conf.d/90-llmagentos-user.conf',
      text: new Secret(firstUser(password)),
      says: 'our user in place of guest',
    },
    {
      ...file,
      path: AUTHORIZATION,
      text: new Secret(authorization),
      mode: 0o600,
      says: `for root, who asks on port ${PORTS.management}`,
    },
    {
      ...file,
      path: `/etc/systemd/system/${UNIT}.d/llmagentos.conf`,
      text: texts.dropIn,
      says: 'what it was started from',
    },
    { kind: 'unit', name: 'epmd.socket', says: 'tells brokers the ports of each other' },
    { kind: 'unit', name: UNIT, says: 'the message broker', inputs: texts.inputs },
  ]
}

export const certificates = (view: View<Config>, node: WantedNode): CertificateItem[] => [
  certificate(view, node, {
    name: CERTIFICATE,
    owner: 'rabbitmq:rabbitmq',
    usage: 'both',
    // Erlang reads the files again by itself, within two minutes.
    users: [],
    says: 'clients and other brokers know it by this',
  }),
]
