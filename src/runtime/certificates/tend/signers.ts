import { createSecureContext } from 'node:tls'
import { anySignal } from '../../../any-signal.ts'
import {
  certificatePath,
  leasePath,
  PEM_TYPE,
  SIGNER,
  type TendConfig,
} from '../../../contracts/certificates.ts'
import { reasonOf } from '../../../errors.ts'
import { Peer, type Reply } from '../../peer.ts'
import { refusalFrom } from '../../refusal.ts'
import type { Dial } from '../../tls/dial.ts'
import { namesOf } from '../own-ca.ts'

const DEADLINE_MS = 15_000

/** No control node answered. */
export class NoSigner extends Error {}

/** The signers on control nodes, asked under one certificate of ours. Whoever opens them closes them. */
export class Signers {
  readonly #peers: Peer[]

  constructor({ signers, cluster }: TendConfig, own: { cert: string; key: string; ca: string }) {
    const dial = dialSigner(cluster, own)
    this.#peers = signers.map(({ node, at }) => new Peer(node, at, { dial }))
  }

  get count(): number {
    return this.#peers.length
  }

  /** From the first that gives one. Throws NoSigner where none answered, and what the last one said where all refused. */
  async certificate(name: string, request: string, signal: AbortSignal): Promise<string> {
    const silent: string[] = []
    const refused: string[] = []
    for (const peer of this.#peers) {
      try {
        const reply = await peer.request({
          method: 'POST',
          path: certificatePath(name),
          headers: { 'content-type': PEM_TYPE },
          body: request,
          signal: within(signal),
        })
        const text = await reply.body.text()
        if (reply.status === 200) return text
        refused.push(`${peer.name}: ${saidBy(reply, text)}`)
      } catch (thrown) {
        signal.throwIfAborted()
        silent.push(`${peer.name}: ${reasonOf(thrown)}`)
      }
    }
    if (refused.length > 0)
      throw new Error(`the control nodes gave no certificate: ${[...refused, ...silent].join('; ')}`)
    throw new NoSigner(`no control node answered: ${silent.join('; ')}`)
  }

  /** How one of them takes a lease: that node has it, another one does, or it does not answer. */
  async takeLease(i: number, name: string, signal: AbortSignal): Promise<'taken' | 'held' | 'silent'> {
    try {
      const reply = await this.#peers[i]!.request({
        method: 'PUT',
        path: leasePath(name),
        signal: within(signal),
      })
      await reply.body.text()
      return reply.status === 204 ? 'taken' : 'held'
    } catch {
      signal.throwIfAborted()
      return 'silent'
    }
  }

  /** One that cannot be released ends by itself. */
  async release(i: number, name: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(DEADLINE_MS)
      const reply = await this.#peers[i]!.request({ method: 'DELETE', path: leasePath(name), signal })
      await reply.body.text()
    } catch {}
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map(peer => peer.close()))
  }
}

const within = (signal: AbortSignal) => anySignal([signal, AbortSignal.timeout(DEADLINE_MS)])

const saidBy = ({ status }: Reply, text: string) => refusalFrom(status, text).message

/** Its address proves nothing: the certificate has to be the signer's of this cluster. */
function dialSigner(cluster: string, own: { cert: string; key: string; ca: string }): Dial {
  const secureContext = createSecureContext({ ...own, minVersion: 'TLSv1.3' })
  const wanted = `spiffe://${cluster}/${SIGNER}`
  return {
    options: () => ({
      secureContext,
      minVersion: 'TLSv1.3',
      checkServerIdentity: (_host, { subjectaltname }) => {
        const { uris } = namesOf({ subjectAltName: subjectaltname })
        return uris.join() === wanted
          ? undefined
          : new Error(`who answers there is ${uris.join() || 'nobody of ours'}, not ${wanted}`)
      },
    }),
  }
}
