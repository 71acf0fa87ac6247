import { os } from '../../facts/os.ts'
import { authority } from '../../secrets/authority.ts'
import { namesFact } from '../base/addresses.ts'
import { type Component, secretOfGrant } from '../component.ts'
import { broker, data } from './broker.ts'
import { certificates, items } from './items.ts'
import { judge } from './judge.ts'
import { ADMIN_SECRET, COMPONENT, COOKIE_SECRET, DATA, placed, ports } from './names.ts'
import { plan } from './plan.ts'
import { refuse } from './refuse.ts'
import { type Config, schema } from './schema.ts'
import { candidate } from './series.ts'

const MIB = 1024 ** 2

/** Brokers that are one cluster, with TLS to clients and to each other. */
export const rabbitmq: Component<Config> = {
  name: COMPONENT,
  schema,
  needs: [],
  gives: ['amqp'],
  usual: false,
  initial: true,
  placed,
  quickDisk: placed,
  secrets: ({ cluster, grants }) => [
    COOKIE_SECRET,
    ADMIN_SECRET,
    ...authority(cluster),
    ...grants.map(secretOfGrant),
  ],
  ports,
  offers: ({ cluster, config }, from) =>
    placed(cluster, config)
      .toSorted((a, b) => Number(b.name === from) - Number(a.name === from))
      .map(node => ({ host: `${node.name}.${cluster.network.domain}`, port: config.port })),
  // Beside what its queues may take, Erlang and the programs of a start.
  uses: ({ config }) => ({
    memoryBytes: config.memoryBytes + 256 * MIB,
    disk: [{ path: DATA, bytes: config.diskFreeBytes + 1024 * MIB }],
  }),
  facts: view => [namesFact(view), os, candidate, data, broker],
  refuse,
  items,
  certificates: (view, _facts, node) => certificates(view, node),
  plan: (view, facts) => plan(rabbitmq, view, facts),
  judge,
}
