import { setTimeout as sleep } from 'node:timers/promises'
import type { Failure } from '../../errors.ts'
import { Dropped, LoginRefused, Refused } from './carrier.ts'
import type { Identity, Keyring } from './identities.ts'
import {
  distrust,
  type HostKey,
  hostKeyOf,
  isForSsh2,
  isKnown,
  type KnownKey,
  preferred,
  typeOf,
  wordsOf,
} from './known-hosts.ts'
import type { Host } from './options.ts'
import { connectSsh, type Offer, type OnWeak, type SshCarrier } from './ssh.ts'

export interface Login {
  /** Who wants it, and the machine in words: the same, or a bastion on the way. */
  node: string
  machine: string
  host: Host
  known: KnownKey[]
  identities: Identity[]
  keys: Keyring
  /** The only fingerprint that is accepted. */
  pin?: string
  through?: SshCarrier
  /** Instead of known_hosts and pin: sees the key, and says by a Failure to stop there. */
  judge?(key: HostKey): Promise<Failure | undefined>
  patience: {
    connectMs: number
    handshakeMs: number
    keepaliveMs: number
    keepaliveCount: number
    signal?: AbortSignal
    onWeak?: OnWeak
  }
}

// In sum the time that sshd takes over some dozens of logins.
const PAUSES_MS = [250, 500, 1_000, 2_000, 4_000]

/** Logs in to one machine. Keys without a passphrase come first; a person is asked only when there are none, or none is taken. */
export async function login(o: Login): Promise<SshCarrier> {
  const mayAsk = !o.judge && o.identities.some(({ at }) => 'file' in at && at.locked)
  const locked = () => o.keys.offers(o.identities, { locked: true })
  const open = await o.keys.offers(o.identities, { locked: false })
  if (open.length === 0 && mayAsk) return withAnyHostKey(o, await locked())
  try {
    return await withAnyHostKey(o, open)
  } catch (thrown) {
    if (!(thrown instanceof LoginRefused) || !mayAsk) throw thrown
    const more = await locked()
    if (more.length === 0) throw thrown
    return withAnyHostKey(o, more)
  }
}

/** A fingerprint does not tell its type, and a machine shows one of its keys: with a pin, each type is tried until one fits. */
async function withAnyHostKey(o: Login, offers: Offer[]): Promise<SshCarrier> {
  let algorithms = preferred(o.host.hostKeyAlgorithms, o.known)
  let first: unknown
  for (;;) {
    let shown = ''
    const onShown = (type: string) => {
      shown = type
    }
    try {
      return await unlessDropped(o, () => connectOnce(o, { offers, algorithms, onShown }))
    } catch (thrown) {
      if (thrown instanceof LoginRefused) throw thrown
      first ??= thrown
      algorithms = algorithms.filter(name => typeOf(name) !== shown)
      if (!o.pin || !(thrown instanceof Refused) || !algorithms.some(isForSsh2)) throw first
    }
  }
}

async function unlessDropped<T>(o: Login, connect: () => Promise<T>): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await connect()
    } catch (thrown) {
      if (!(thrown instanceof Dropped)) throw thrown
    }
    await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal: o.patience.signal })
  }
  return connect()
}

function connectOnce(
  o: Login,
  now: { offers: Offer[]; algorithms: string[]; onShown(type: string): void },
): Promise<SshCarrier> {
  const { node, machine, host, known, pin, judge } = o
  return connectSsh({
    node,
    machine,
    host: host.host,
    port: host.port,
    user: host.user,
    offers: now.offers,
    hostKeyAlgorithms: now.algorithms,
    through: o.through,
    bindAddress: host.bindAddress,
    family: host.family,
    ...o.patience,
    async distrusts(wire) {
      const shown = wordsOf(wire)
      now.onShown(shown.type)
      if (!judge && !pin && isKnown(shown, known)) return undefined
      const key = await hostKeyOf({ node: machine, knownAs: host.knownAs, wire })
      return judge ? judge(key) : distrust(key, { known, pin })
    },
  })
}
