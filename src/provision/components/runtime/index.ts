import { EXIT, Failure } from '../../../errors.ts'
import { placed } from '../../artifacts/fact.ts'
import { os } from '../../facts/os.ts'
import { authority } from '../../secrets/authority.ts'
import { type Component, secretOfGrant } from '../component.ts'
import { admit } from './admit.ts'
import { moved } from './embedded.ts'
import { grantsOf } from './grants.ts'
import { healthOf } from './health.ts'
import { certificates, items } from './items.ts'
import { jobs } from './jobs.ts'
import { judge } from './judge.ts'
import { gatewaysOf } from './layout.ts'
import { plan } from './plan.ts'
import { ports } from './ports.ts'
import { prove } from './prove.ts'
import { type Config, schema } from './schema.ts'
import { refuseWithoutS3 } from './store.ts'
import { vipFacts } from './vip.ts'

const GIB = 1024 ** 3
/** Of a worker, of the signer, and of what renews certificates: as their units say. */
const SMALL_BYTES = 256 * 1024 ** 2

/** Our own services, a unit each, with replicas over the control nodes; what works on the store is where it is. */
export const runtime: Component<Config> = {
  name: 'runtime',
  schema,
  needs: ['amqp', 's3', 'ollama'],
  gives: [],
  usual: false,
  initial: true,
  placed: cluster => cluster.nodes,
  asks: grantsOf,
  secrets: view => [...authority(view.cluster), ...grantsOf(view).map(secretOfGrant)],
  ports,
  // Any control node may hold the store; two releases lie there while one takes over from the other.
  uses: ({ config }, node) => ({
    memoryBytes:
      SMALL_BYTES + (node.roles.includes('control') ? config.memoryBytes + SMALL_BYTES : SMALL_BYTES),
    disk: [{ path: '/opt', bytes: GIB }],
  }),
  facts: (view, node) => [
    os,
    placed,
    jobs,
    moved,
    ...(gatewaysOf(view).includes(node) ? [healthOf(view)] : []),
    ...vipFacts(view, node),
  ],
  refuse(view, facts) {
    refuseWithoutS3(view, facts)
    const { config } = view
    const { maxStaleMs } = config.auth
    if (maxStaleMs < 1_000 || maxStaleMs > 60_000)
      throw new Failure('components/runtime/auth/maxStale must be from 1s to 1m.', { exit: EXIT.usage })
    if (config.replicas.auth === 2)
      throw new Failure('components/runtime/replicas/auth must be 1 or 3.', {
        exit: EXIT.usage,
        why: 'A key counts while most instances answer: of two, both would have to.',
      })
  },
  items,
  certificates,
  plan: (view, facts) => plan(runtime, view, facts),
  judge,
  prove,
  admit,
}
