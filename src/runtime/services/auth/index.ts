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
    const ledger = new Ledger({ records: new RemoteRecords(calls), stateFolder: config.stateFolder, log })
    const signer = new Signer(ledger, log)

    const verify = async (token: string): Promise<Principal> => {
      ledger.requireLoaded()
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

    on(exchangeKey, ({ body }) => exchange({ sets: ledger.sets, signer }, body))
    on(exchangeTask, ({ body }) => exchangeForTask({ sets: ledger.sets, signer }, body))
    on(jwks, () => ({ keys: signer.published() }))
    on(feed, ({ query }) => ({
      ...ledger.feed.since(query, () => ledger.sets.allRevoked()),
      maxStaleMs: config.maxStaleMs,
    }))
    on(bootstrapKey, ({ body, hop }) => ledger.exclusive(() => bootstrap(ledger, body.name, hop)))

    on(whoami, ({ who }) => who)
    on(createKey, ({ who, body, hop }) => keys.createFor(ledger, who, body, hop))
    on(listKeys, ({ who }) => ({ keys: keys.listFor(ledger, who) }))
    on(revokeKey, async ({ who, params, hop, reply }) => {
      const missing = await keys.revokeFor(ledger, who, params.id, hop)
      if (missing.length > 0) void reply.code(202).send({ revoked: params.id, missing })
      return { revoked: params.id }
    })

    on(createUser, ({ body, hop }) => ledger.exclusive(() => users.createUser(ledger, body, hop)))
    on(listUsers, () => ({ users: users.listUsers(ledger) }))
    on(setRole, ({ params, body, hop }) =>
      ledger.exclusive(() => users.setRole(ledger, params.name, body.role, hop)),
    )
    on(removeUser, async ({ params, hop }) => ({
      removed: params.name,
      keys: await ledger.exclusive(() => users.removeUser(ledger, params.name, hop)),
    }))

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
