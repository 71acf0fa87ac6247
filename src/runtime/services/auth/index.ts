import {
  bootstrapKey,
  createKey,
  createUser,
  exchangeKey,
  exchangeTask,
  feed,
  jwks,
  listKeys,
  listUsers,
  removeUser,
  revokeKey,
  setRole,
  whoami,
} from '../../../contracts/auth.ts'
import { fetchRecords, giveRecords } from '../../../contracts/auth-records.ts'
import { AuthConfig } from '../../../contracts/config.ts'
import type { Principal } from '../../../contracts/identity.ts'
import type { Route } from '../../../contracts/route.ts'
import { readToken } from '../../identity/tokens.ts'
import { revokedKey } from '../../identity/verifier.ts'
import { RemoteRecords } from '../../records-client.ts'
import { type Asked, handle } from '../../server/handle.ts'
import type { Service } from '../../service.ts'
import { bootstrap } from './bootstrap.ts'
import { exchange, exchangeForTask, presentPrincipal } from './exchange.ts'
import * as keys from './keys.ts'
import { Ledger } from './ledger.ts'
import { Replicas } from './replicas/index.ts'
import { othersIn } from './replicas/others.ts'
import { Serial } from './serial.ts'
import { Signer } from './signer.ts'
import * as users from './users.ts'

/** Who may: keys, users, identity tokens, and the feed of revocations (RUNTIME section 4). */
export const auth: Service<AuthConfig> = {
  name: 'auth',
  config: AuthConfig,
  callers: ['gateway', 'llm', 'task', 'data', 'executor', 'auth'],
  // It is what the others follow: it looks into its own sets.
  verifies: false,

  async setup(app, { config, log, calls }) {
    const others = othersIn(config, calls)
    const replicas = others.length > 0 ? new Replicas({ calls, others, ...config, log }) : undefined
    const records = new RemoteRecords(calls)
    const ledger = new Ledger({ records, stateFolder: config.stateFolder, log, replicas })
    const signer = new Signer(ledger, log)
    const changes = new Serial()

    const verify = async (token: string): Promise<Principal> => {
      ledger.requireLoaded()
      // What happened elsewhere while this process was frozen counts before anything is accepted.
      if (replicas && !replicas.isFresh()) await replicas.fresh()
      const { principal } = await readToken(token, { audience: 'auth', keyOf: kid => signer.publicKey(kid) })
      const key = ledger.sets.keys.get(principal.key)
      if (!key) throw revokedKey()
      return presentPrincipal(ledger.sets, key)
    }

    const on = <R extends Route>(route: R, answer: (asked: Asked<R>) => unknown) =>
      handle(app, route, verify, async asked => {
        ledger.requireLoaded()
        return (await answer(asked)) as never
      })

    /** A key that is unknown to an instance which has not heard of the others for a while may just be new. */
    const known = async (id: string) => {
      if (replicas && !ledger.sets.keys.has(id) && !replicas.isFresh()) await replicas.fresh()
    }
    on(exchangeKey, async ({ body }) => {
      await known(body.id)
      return exchange({ sets: ledger.sets, signer }, body)
    })
    on(exchangeTask, async ({ body }) => {
      await known(body.key)
      return exchangeForTask({ sets: ledger.sets, signer }, body)
    })
    on(jwks, () => ({ keys: signer.published() }))
    on(feed, ({ query }) => ({
      ...ledger.feed.since(query, () => ledger.sets.allRevoked()),
      maxStaleMs: config.maxStaleMs,
    }))
    if (replicas) {
      on(giveRecords, async ({ body }) => {
        await ledger.takeIn(body)
        return {}
      })
      on(fetchRecords, ({ query }) => ledger.since(query))
    }
    on(bootstrapKey, ({ body, hop }) => changes.run(() => bootstrap(ledger, body.name, hop)))

    on(whoami, ({ who }) => who)
    on(createKey, ({ who, body, hop }) => keys.createFor(ledger, who, body, hop))
    on(listKeys, ({ who }) => ({ keys: keys.listFor(ledger, who) }))
    on(revokeKey, async ({ who, params, reply }) => {
      const missing = await keys.revokeFor(ledger, who, params.id)
      if (missing.length > 0) void reply.code(202).send({ revoked: params.id, missing })
      return { revoked: params.id }
    })

    on(createUser, ({ body, hop }) => changes.run(() => users.createUser(ledger, body, hop)))
    on(listUsers, () => ({ users: users.listUsers(ledger) }))
    on(setRole, ({ params, body, hop }) =>
      changes.run(() => users.setRole(ledger, params.name, body.role, hop)),
    )
    on(removeUser, async ({ params, hop, reply }) => {
      const { keys, missing } = await changes.run(() => users.removeUser(ledger, params.name, hop))
      if (missing.length > 0) void reply.code(202).send({ removed: params.name, keys, missing })
      return { removed: params.name, keys }
    })

    void ledger.start(() => signer.tend())
    const rotation = signer.start()

    return {
      ready: () => ledger.ready(),
      notes: () => ledger.notes(),
      async stop(deadlineMs) {
        clearInterval(rotation)
        await ledger.stop(deadlineMs)
      },
    }
  },
}
