import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import ssh2 from 'ssh2'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Secret } from '../../secret.ts'
import { Busy, type Carrier, Cut, type Exit, Lost, type Running } from './carrier.ts'
import { isForSsh2 } from './known-hosts.ts'
import { refusal } from './refusal.ts'
import { notAwaited, socketTo } from './socket.ts'
import { isStrict, terrapin } from './terrapin.ts'

export type PrivateKey = ssh2.ParsedKey

/** One way to prove who we are: a key that we hold, or one that an agent holds. */
export type Offer = { says: string; key: PrivateKey } | { says: string; agent: string; blob: string }

export interface SshWay {
  node: string
  /** The machine that is logged in to, in words: the node, or a bastion on the way to it. */
  machine: string
  host: string
  port: number
  user: string
  offers: Offer[]
  /** In order of preference, as -G and known_hosts have them; what ssh2 lacks is left out. */
  hostKeyAlgorithms: string[]
  /** Asked before anything else is said to the machine; a Failure ends the connection. */
  distrusts(wire: Buffer): Promise<Failure | undefined>
  /** The machine before it; without one, we connect from here. */
  through?: SshCarrier
  bindAddress?: string
  family?: 0 | 4 | 6
  connectMs: number
  handshakeMs: number
  keepaliveMs: number
  keepaliveCount: number
  /** Ends the connecting, not the connection. */
  signal?: AbortSignal
  onWeak?: OnWeak
}

/** Told of a machine whose handshake somebody in between could have cut short: its sshd is old. */
export type OnWeak = (o: { machine: string; weak: string }) => void

export interface SshCarrier extends Carrier {
  /** TCP from that machine to another one. */
  tunnel(host: string, port: number): Promise<Duplex>
}

/** Connects, checks the host key, logs in with a key. Throws Failure (4) that says at which of the three it ended, and why. */
export async function connectSsh(way: SshWay): Promise<SshCarrier> {
  const sock = way.through ? await way.through.tunnel(way.host, way.port) : await socketTo(way)
  const client = new ssh2.Client()
  const wanted = way.hostKeyAlgorithms.filter(isForSsh2)
  let stage = 'the SSH handshake'
  let distrusted: Failure | undefined
  let trusted: Buffer | undefined
  let exhausted = false
  const left = [...way.offers]
  const onAbort = () => client.destroy()
  way.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      client.on('ready', resolve)
      client.on('error', thrown => {
        // One key that cannot sign is no end: the next one is tried.
        if (/^(agent|client-authentication)$/.test(thrown.level ?? '') && !exhausted) return
        reject(thrown)
      })
      client.on('close', () => reject(new Error('it closed the connection')))
      client.on('handshake', negotiated => {
        stage = 'the login'
        const weak = terrapin(negotiated, isStrict(client))
        if (weak) way.onWeak?.({ machine: way.machine, weak })
      })
      client.connect({
        sock: sock as Socket,
        username: way.user,
        readyTimeout: way.handshakeMs,
        keepaliveInterval: way.keepaliveMs,
        keepaliveCountMax: way.keepaliveCount,
        algorithms: { serverHostKey: wanted as ssh2.ServerHostKeyAlgorithm[] },
        hostVerifier: (wire: Buffer, verdict: (ok: boolean) => void) => {
          // Keys are exchanged again after much data: by then it must be the same machine.
          if (trusted) return verdict(trusted.equals(wire))
          way.distrusts(wire).then(
            failure => {
              distrusted = failure
              if (!failure) trusted = Buffer.from(wire)
              verdict(!failure)
            },
            thrown => {
              distrusted = thrown
              verdict(false)
            },
          )
        },
        authHandler: (_methods, _partial, next) => {
          const offer = left.shift()
          exhausted = offer === undefined
          next((offer ? attempt(offer, way.user) : false) as ssh2.AnyAuthMethod)
        },
      })
    })
  } catch (thrown) {
    client.destroy()
    sock.destroy()
    if (distrusted) throw distrusted
    if (way.signal?.aborted) throw notAwaited(way.machine)
    throw refusal(way, { stage, thrown, exhausted })
  } finally {
    way.signal?.removeEventListener('abort', onAbort)
  }
  client.removeAllListeners('error').removeAllListeners('close')
  return carrierOver(client, way)
}

/** A private key in any format of OpenSSH; `locked` when it has a passphrase and none, or a wrong one, was given. */
export function privateKey(text: Buffer, passphrase?: Secret): PrivateKey | 'locked' | 'unreadable' {
  const key = ssh2.utils.parseKey(text, passphrase?.reveal())
  const parsed = Array.isArray(key) ? (key[0] as PrivateKey) : key
  if (!(parsed instanceof Error)) return parsed.isPrivateKey() ? parsed : 'unreadable'
  return /passphrase|Encrypted|integrity check|decrypt/i.test(parsed.message) ? 'locked' : 'unreadable'
}

function attempt(offer: Offer, username: string): ssh2.AnyAuthMethod {
  if ('key' in offer) return { type: 'publickey', username, key: offer.key }
  return { type: 'agent', username, agent: new OneOfAgent(offer.agent, Buffer.from(offer.blob, 'base64')) }
}

/** An agent that shows one of its keys only: sshd counts each that it is offered, and hangs up after six. */
class OneOfAgent extends ssh2.OpenSSHAgent {
  readonly #blob: Buffer

  constructor(socket: string, blob: Buffer) {
    super(socket)
    this.#blob = blob
  }

  override getIdentities(done: ssh2.IdentityCallback<PrivateKey>): void {
    super.getIdentities((thrown, keys) =>
      thrown
        ? done(thrown)
        : done(
            null,
            keys?.filter(key => (key as PrivateKey).getPublicSSH().equals(this.#blob)) as PrivateKey[],
          ),
    )
  }
}

function carrierOver(client: ssh2.Client, way: SshWay): SshCarrier {
  let gone: string | undefined
  const lost = new Promise<string>(resolve => {
    const end = (why: string) => {
      gone ??= why
      resolve(gone)
    }
    client.on('error', thrown => end(reasonOf(thrown)))
    client.on('close', () => end('the connection was closed'))
    client.on('end', () => end('the machine ended the connection'))
  })
  const forward = (host: string, port: number, refused: (thrown: unknown) => Failure) =>
    new Promise<Duplex>((resolve, reject) => {
      if (gone !== undefined) return reject(new Cut({ node: way.node, why: gone }))
      client.forwardOut('127.0.0.1', 0, host, port, (thrown, channel) =>
        thrown ? reject(refused(thrown)) : resolve(channel),
      )
    })
  return {
    get gone() {
      return gone
    },
    start: line => startOver(client, { line, lost, node: way.node, gone: () => gone }),
    open: port =>
      forward(
        '127.0.0.1',
        port,
        thrown =>
          new Failure(`Port ${port} on ${way.node} does not answer.`, {
            exit: EXIT.unhealthy,
            why: reasonOf(thrown),
          }),
      ),
    tunnel: (host, port) =>
      forward(
        host,
        port,
        thrown =>
          new Failure(`${way.machine} cannot reach ${host} port ${port} for ${way.node}.`, {
            exit: EXIT.unreachable,
            why: reasonOf(thrown),
          }),
      ),
    async close() {
      if (gone !== undefined) return
      client.end()
      await lost
    },
  }
}

function startOver(
  client: ssh2.Client,
  o: { line: string; lost: Promise<string>; node: string; gone: () => string | undefined },
): Promise<Running> {
  return new Promise((resolve, reject) => {
    const refused = (thrown: unknown) => {
      const gone = o.gone()
      // What ssh2 says of a request without an answer, and of one that was refused; a channel that was not opened is told otherwise.
      const sent = reasonOf(thrown) === 'Unable to exec'
      if (gone !== undefined) return reject(new Lost(gone, { sent }))
      if (sent)
        return reject(
          new Failure(`${o.node} does not run commands for this user.`, { exit: EXIT.unreachable }),
        )
      if (/open fail/i.test(reasonOf(thrown))) return reject(new Busy(reasonOf(thrown)))
      reject(thrown)
    }
    if (o.gone() !== undefined) return refused(undefined)
    try {
      client.exec(`exec ${o.line}`, (thrown, channel) =>
        thrown ? refused(thrown) : resolve(runningOn(channel, o.lost)),
      )
    } catch (thrown) {
      refused(thrown)
    }
  })
}

function runningOn(channel: ssh2.ClientChannel, lost: Promise<string>): Running {
  let exit: Exit | undefined
  channel.on('exit', (code: number | null, signal?: string) => {
    exit = code === null ? { code: 0, signal: signal ?? 'UNKNOWN' } : { code }
  })
  const closed = new Promise<void>(resolve => void channel.once('close', resolve))
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    // Without an exit status the machine has not said how it ended.
    ended: Promise.race([closed, lost]).then(
      why => exit ?? { cut: why ?? 'the channel was closed without an exit status' },
    ),
    drop: () => void channel.destroy(),
  }
}
