import { presentFirst } from '../absence.ts'
import { isRefused, isUnbegun, isUnclear } from '../call-parts.ts'
import { Peer, type Reply, type Request } from '../peer.ts'
import { Refusal, refusalFrom } from '../refusal.ts'
import { dialGateway } from '../tls/dial.ts'

/** Longest silence of a gateway, milliseconds: streams beat each second, everything else answers within its own deadline. */
const SILENCE_MS = 60_000

interface Asking<T> {
  /** The request, anew for each gateway. */
  make(): Request
  /** The same bytes can be sent again: they are not read from a pipe. */
  whole: boolean
  /** It does no harm when the first one was carried out after all. */
  repeats: boolean
  signal: AbortSignal
  take(reply: Reply): Promise<T>
}

/**
 * The gateways of one cluster, as one client of it sees them. It stays with the one that answered last: whoever goes back to the first of the list
 * pays for it as long as that machine is away.
 */
export class Gateways {
  #peers: Peer[]

  constructor(urls: string[], ca: string | undefined) {
    const dial = dialGateway(ca)
    this.#peers = urls.map(url => new Peer(url, { url }, { dial }))
  }

  /**
   * What `take` makes of the first answer. The next gateway is asked where there was no connection or nothing was begun, and where nobody knows
   * what became of a request that repeats. Throws what the last one failed with, or what one of them said.
   */
  async ask<T>(asking: Asking<T>): Promise<T> {
    const { repeats, signal } = asking
    const present = presentFirst(this.#peers)
    // The only one may have been started anew just then.
    const tries = repeats && present.length === 1 ? [...present, ...present] : present
    let said: Refusal | undefined
    let failed: unknown
    for (const [i, peer] of tries.entries()) {
      try {
        const last = i === tries.length - 1
        const reply = await peer.request({ ...asking.make(), signal, silenceMs: SILENCE_MS })
        if (!last && isForAnother(reply, asking)) {
          said = refusalFrom(reply.status, await reply.body.text())
          continue
        }
        const answer = await asking.take(reply)
        this.#answered(peer)
        return answer
      } catch (thrown) {
        if (signal.aborted || !(isRefused(thrown) || (repeats && !(thrown instanceof Refusal)))) throw thrown
        peer.absence.begins()
        if (thrown instanceof Refusal) said = thrown
        failed = thrown
      }
    }
    throw said ?? failed
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map(peer => peer.close()))
  }

  #answered(peer: Peer): void {
    peer.absence.over()
    if (this.#peers[0] !== peer) this.#peers = [peer, ...this.#peers.filter(other => other !== peer)]
  }
}

/** 502 without that header is how gateways of before say it. */
const isForAnother = (reply: Reply, { whole, repeats }: { whole: boolean; repeats: boolean }) =>
  whole && (isUnbegun(reply) || (repeats && (isUnclear(reply) || reply.status === 502)))
