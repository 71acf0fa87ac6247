import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { bootstrapKey, createKey, createUser, exchangeKey } from '../../src/contracts/auth.ts'
import type { Address, AuthConfig, DataConfig, SocketAddress } from '../../src/contracts/config.ts'
import type { Role, ServiceName } from '../../src/contracts/identity.ts'
import { type Log, silent } from '../../src/log.ts'
import { waitFor } from '../../src/retry.ts'
import { type Hop, ownHop } from '../../src/runtime/hop.ts'
import { Verifier } from '../../src/runtime/identity/verifier.ts'
import { Metrics } from '../../src/runtime/metrics.ts'
import { buildApp } from '../../src/runtime/server/app.ts'
import type { Deps, Running } from '../../src/runtime/service.ts'
import { auth } from '../../src/runtime/services/auth/index.ts'
import { registerRecords } from '../../src/runtime/services/data/records.ts'
import { openEmbedded } from '../../src/runtime/services/data/store/embedded.ts'
import { Calls } from '../../src/runtime/transport.ts'
import { tempFolder } from './temp.ts'

/** The auth service, one instance or several, over unix sockets in front of a real store; all of which a test can take away and bring back. */
export class AuthStand {
  readonly folder = tempFolder()
  readonly services: Record<string, Address[]>
  readonly #log: Log
  readonly #maxStaleMs: number
  readonly #calls: Calls[] = []
  #data: { stop(): Promise<void> } | undefined
  readonly #auth = new Map<number, { stop(): Promise<void>; running: Running }>()

  constructor(log: Log = silent, o: { instances?: number; maxStaleMs?: number } = {}) {
    this.#log = log
    this.#maxStaleMs = o.maxStaleMs ?? 1000
    const sockets = Array.from({ length: o.instances ?? 1 }, (_, i) => join(this.folder, `auth-${i}.sock`))
    this.services = {
      auth: sockets.map(socket => ({ socket })),
      data: [{ socket: join(this.folder, 'data.sock') }],
    }
    onTestFinished(() => this.stop())
  }

  async start(): Promise<this> {
    await this.startData()
    // Several are not ready before a majority is there.
    const all = this.services['auth']!.map((_, i) => i)
    await Promise.all(all.map(instance => this.startAuth({ instance })))
    return this
  }

  async startData(): Promise<void> {
    const store = await openEmbedded(join(this.folder, 'store'))
    const app = buildApp({ log: this.#log, metrics: new Metrics('data') })
    registerRecords(
      app,
      { verify: async () => Promise.reject(new Error('no tokens here')) } as unknown as Deps<DataConfig>,
      store,
    )
    await app.listen({ path: join(this.folder, 'data.sock') })
    this.#data = {
      async stop() {
        await app.close()
        await store.close()
      },
    }
  }

  async stopData(): Promise<void> {
    await this.#data?.stop()
    this.#data = undefined
  }

  async startAuth(o: { until?: 'ready' | 'listening'; instance?: number } = {}): Promise<void> {
    const { instance = 0 } = o
    const listen = this.services['auth']![instance] as SocketAddress
    const config: AuthConfig = {
      services: this.services,
      listen,
      stateFolder: this.stateOf(instance),
      maxStaleMs: this.#maxStaleMs,
    }
    const calls = this.as('auth')
    const metrics = new Metrics('auth')
    const app = buildApp({ log: this.#log, metrics })
    const running = await auth.setup(app, { config, log: this.#log, calls, metrics } as Deps<AuthConfig>)
    await app.listen({ path: listen.socket })
    this.#auth.set(instance, {
      running,
      async stop() {
        const closed = app.close()
        await running.stop(1_000)
        await closed
      },
    })
    if (o.until !== 'listening')
      await waitFor({ says: 'auth to be ready', deadlineMs: 10_000, everyMs: 10 }, () =>
        running.ready().length === 0 ? true : undefined,
      )
  }

  async stopAuth(instance = 0): Promise<void> {
    await this.#auth.get(instance)?.stop()
    this.#auth.delete(instance)
  }

  stateOf(instance = 0): string {
    return join(this.folder, instance === 0 ? 'auth' : `auth-${instance}`)
  }

  get running(): Running {
    return this.runningAt(0)
  }

  runningAt(instance: number): Running {
    return this.#auth.get(instance)!.running
  }

  /** How a service of that name calls; one instance of auth alone, if it is given. */
  as(name: ServiceName, instance?: number): Calls {
    const { auth } = this.services
    const calls = new Calls(name, {
      ...this.services,
      ...(instance !== undefined && { auth: [auth![instance]!] }),
    })
    this.#calls.push(calls)
    return calls
  }

  /** A verifier that follows the feed. */
  verifier(self: ServiceName, o: { now?: () => number; holdMs?: number } = {}): Verifier {
    const verifier = new Verifier({ self, calls: this.as(self), log: this.#log, ...o })
    verifier.start()
    onTestFinished(() => verifier.stop())
    return verifier
  }

  /** An admin key, as the operator of the machine gets it. */
  async adminKey(): Promise<string> {
    const { key } = await this.as('auth').call(bootstrapKey, ownHop(), { body: { name: 'test' } })
    return key
  }

  /** What the gateway does with a key: trades it for tokens. */
  async exchange(key: string, instance?: number) {
    const [, id, ...secret] = key.split('_')
    const digest = createHash('sha256').update(secret.join('_')).digest('hex')
    return this.as('gateway', instance).call(exchangeKey, ownHop(), { body: { id: id!, digest } })
  }

  /** A hop with the token of a key for auth itself. */
  async hopOf(key: string): Promise<Hop> {
    const { tokens } = await this.exchange(key)
    return { ...ownHop(), token: tokens['auth'] }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#calls.map(c => c.close()))
    await Promise.all([...this.#auth.keys()].map(i => this.stopAuth(i)))
    await this.stopData()
  }
}

/** A user with a key of their own, both made by the admin. */
export async function person(stand: AuthStand, adminKey: string, name: string, role: Role) {
  const gateway = stand.as('gateway')
  const hop = await stand.hopOf(adminKey)
  await gateway.call(createUser, hop, { body: { name, role } })
  const { key, info } = await gateway.call(createKey, hop, { body: { name: 'first', user: name } })
  return { key, info }
}

/** The Refusal of that status and code, for `rejects.toEqual`. */
export const refusal = (status: number, code: string) => expect.objectContaining({ status, code })
