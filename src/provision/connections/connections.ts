import { setMaxListeners } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { anySignal } from '../../any-signal.ts'
import { EXIT, Failure } from '../../errors.ts'
import { type Carrier, Refused } from './carrier.ts'
import type { Choice } from './choose.ts'
import type { Connection } from './connection.ts'
import { Gate } from './gate.ts'
import { Keyring } from './identities.ts'
import { distrust, enrol, type HostKey, isRevoked } from './known-hosts.ts'
import { type Login, login } from './login.ts'
import type { Host } from './options.ts'
import { ConnectionOver } from './over.ts'
import type { Target } from './resolve.ts'
import { patienceFor, type RunOptions } from './run-options.ts'
import type { SshCarrier } from './ssh.ts'
import { type Session, sshForPerson } from './system-config.ts'
import { connectSystem } from './system-ssh.ts'
import { findWay, type Machine, type Way } from './way.ts'

const HANDSHAKES = 32
// sshd drops the eleventh connection that has not logged in yet.
const HANDSHAKES_PER_BASTION = 8
const AGAIN_MS = 60_000

export type { RunOptions } from './run-options.ts'

/** All connections of one run: one per node, and one per bastion, shared by the nodes behind it. */
export class Connections {
  readonly #o: RunOptions
  readonly #keys: Keyring
  readonly #handshakes = new Gate(HANDSHAKES)
  readonly #throughBastion = new Map<string, Gate>()
  readonly #bastions = new Map<string, Promise<SshCarrier>>()
  readonly #ways = new Map<Target, Promise<Way>>()
  readonly #open = new Set<Connection>()
  #folder: Promise<string> | undefined
  #systems = 0
  readonly #closing = new AbortController()
  readonly #stop: AbortSignal

  constructor(o: RunOptions) {
    this.#o = o
    this.#keys = new Keyring(o.passphrase)
    const signals = [this.#closing.signal, ...(o.signal ? [o.signal] : [])]
    this.#stop = anySignal(signals)
    // Each node listens; Node warns of a leak at the eleventh.
    setMaxListeners(0, this.#stop, ...signals)
  }

  /** The way onto a node; nothing is connected before its first use. Throws Failure for options that cannot be honoured (2). */
  async to(target: Target): Promise<Connection> {
    const way = await this.#way(target)
    const connection = new ConnectionOver({
      node: target.node,
      user: way.user,
      connect: ({ again }) => (again ? this.#patiently(() => this.#connect(target)) : this.#connect(target)),
      sudoPassword: this.#o.sudoPassword,
    })
    this.#open.add(connection)
    return connection
  }

  /** Which program carries the node, why, and which options were set aside. */
  async choice(target: Target): Promise<Choice> {
    return (await this.#way(target)).choice
  }

  /** The host key that the node shows, trusted or not; nothing else is said to it. The machines between must be known already. */
  async hostKey(target: Target): Promise<HostKey> {
    const way = await this.#way(target)
    if (!way.choice.onlyBySystem) return this.#shownBy(way, way.machines.length - 1)
    throw new Failure(`The host key of ${target.node} cannot be read beforehand.`, {
      exit: EXIT.unreachable,
      why: way.choice.says,
      next: `Log in once with ssh ${target.host} and confirm its key there, or write hostKey under its ssh in cluster.yaml.`,
    })
  }

  /**
   * The same of the first machine on the way of which no key is known. undefined when there is none, and where only the system's ssh
   * can know it. Throws Failure (4) when that machine is not reached, or shows a revoked key.
   */
  async newHostKey(target: Target): Promise<HostKey | undefined> {
    const way = await this.#way(target)
    const pinned = (machine: Machine) => target.hostKey !== undefined && machine === way.machines.at(-1)
    const at = way.machines.findIndex(
      machine => !pinned(machine) && machine.known.every(key => key.mark === 'revoked'),
    )
    return at < 0 || way.choice.onlyBySystem ? undefined : this.#shownBy(way, at)
  }

  /** Adds host keys that a person, or `--accept-new-host-keys`, agreed to. Returns those that were not there. */
  async enrol(keys: HostKey[]): Promise<HostKey[]> {
    this.#ways.clear()
    return enrol(keys, this.#o.knownHosts)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#open].map(connection => connection.close()))
    const bastions = await Promise.allSettled(this.#bastions.values())
    await Promise.all(bastions.map(done => done.status === 'fulfilled' && done.value.close()))
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true })
  }

  /** What to start so that a person, or a command with their terminal, gets there by the system's ssh. Good until `close`. */
  async forPerson(target: Target, o: Session): Promise<[string, ...string[]]> {
    const file = join(await this.#ownFolder(), `${++this.#systems}.conf`)
    return sshForPerson({ target, ...this.#o }, { file, ...o })
  }

  #ownFolder(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'lao-'))
    return this.#folder
  }

  #way(target: Target): Promise<Way> {
    const known = this.#ways.get(target)
    if (known) return known
    const way = findWay(target, { ...this.#o, keys: this.#keys })
    this.#ways.set(target, way)
    way.catch(() => this.#ways.delete(target))
    return way
  }

  /** After a cut the node may be booting: what can pass is tried again, ever more slowly. */
  async #patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const end = performance.now() + (this.#o.againMs ?? AGAIN_MS)
    for (let pause = 250; ; pause = Math.min(pause * 2, 5_000)) {
      try {
        return await attempt()
      } catch (thrown) {
        if (!(thrown instanceof Failure) || thrown instanceof Refused || performance.now() + pause > end)
          throw thrown
        if (this.#stop.aborted) throw thrown
        await sleep(pause, undefined, { signal: this.#stop }).catch(() => {})
      }
    }
  }

  /** Asks for the way anew: a host key may have been enrolled since. */
  async #connect(target: Target): Promise<Carrier> {
    const way = await this.#way(target)
    return way.choice.kind === 'ssh2' ? this.#connectSsh(way) : this.#connectSystem(way)
  }

  async #connectSystem({ target, machines }: Way): Promise<Carrier> {
    const folder = await this.#ownFolder()
    const first = machines.length > 1 ? nameOf(machines[0]!.host) : undefined
    return this.#bounded(first, () =>
      connectSystem({
        target,
        folder,
        key: String(++this.#systems),
        config: this.#o.config,
        knownHosts: this.#o.knownHosts,
        ...patienceFor(machines.at(-1)?.host, this.#o, this.#stop),
      }),
    )
  }

  /** The key of one of the machines on the way. */
  async #shownBy(way: Way, at: number): Promise<HostKey> {
    let shown: HostKey | undefined
    const stop = new Failure('The host key was read.', { exit: EXIT.ours })
    try {
      const carrier = await this.#connectSsh(way, {
        upTo: at,
        async judge(key) {
          shown = key
          const { known } = way.machines[at]!
          return isRevoked(key, known) ? distrust(key, { known }) : stop
        },
      })
      await carrier.close()
    } catch (thrown) {
      if (thrown !== stop) throw thrown
    }
    if (!shown) throw new Error('a connection was made without a host key')
    return shown
  }

  async #connectSsh(way: Way, o: { upTo?: number; judge?: Login['judge'] } = {}): Promise<SshCarrier> {
    const { machines, target } = way
    const last = o.upTo ?? machines.length - 1
    let through: SshCarrier | undefined
    let path = ''
    for (const machine of machines.slice(0, last)) {
      path += `${nameOf(machine.host)} `
      const before = through
      through = await this.#bastion(path, () =>
        this.#login(target, machine, { machine: bastionName(machine), through: before }),
      )
    }
    const end = machines[last]!
    const itself =
      end === machines.at(-1) ? { machine: target.node, pin: target.hostKey } : { machine: bastionName(end) }
    const first = last > 0 ? nameOf(machines[0]!.host) : undefined
    return this.#bounded(first, () => this.#login(target, end, { ...itself, through, judge: o.judge }))
  }

  /** Shared by all nodes behind it; opened anew when it was lost. */
  async #bastion(path: string, login: () => Promise<SshCarrier>): Promise<SshCarrier> {
    for (;;) {
      const pending = this.#bastions.get(path) ?? this.#handshakes.through(login)
      this.#bastions.set(path, pending)
      const carrier = await pending.catch(thrown => {
        if (this.#bastions.get(path) === pending) this.#bastions.delete(path)
        throw thrown
      })
      if (carrier.gone === undefined) return carrier
      if (this.#bastions.get(path) === pending) this.#bastions.delete(path)
    }
  }

  #login(
    { node }: Target,
    { host, known, identities }: Machine,
    o: Pick<Login, 'machine' | 'pin' | 'through' | 'judge'>,
  ) {
    return login({
      node,
      host,
      known,
      identities,
      keys: this.#keys,
      patience: patienceFor(host, this.#o, this.#stop),
      ...o,
    })
  }

  #bounded<T>(bastion: string | undefined, run: () => Promise<T>): Promise<T> {
    if (bastion === undefined) return this.#handshakes.through(run)
    const gate = this.#throughBastion.get(bastion) ?? new Gate(HANDSHAKES_PER_BASTION)
    this.#throughBastion.set(bastion, gate)
    return gate.through(() => this.#handshakes.through(run))
  }
}

const bastionName = ({ host }: Machine) => `The bastion ${host.alias}`

const nameOf = (host: Host) => `${host.user}@${host.host}:${host.port}`
