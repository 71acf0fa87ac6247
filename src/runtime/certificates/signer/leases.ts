import { LEASE_MS } from '../../../contracts/certificates.ts'

/**
 * Which node may take out its replica of a name, as this control node sees it; whoever wants to has to hold the leases of most of them.
 * In memory: a signer that starts anew has forgotten them, so a restart of most signers within a renewal may let two replicas go at once.
 */
export class Leases {
  readonly #held = new Map<string, { node: string; until: number }>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** The node that has it, when that is another one. Who has it already has it for longer. */
  take(name: string, node: string): string | undefined {
    const held = this.#held.get(name)
    if (held && held.node !== node && held.until > this.#now()) return held.node
    this.#held.set(name, { node, until: this.#now() + LEASE_MS })
    return undefined
  }

  /** Does nothing where another node has it. */
  release(name: string, node: string): void {
    if (this.#held.get(name)?.node === node) this.#held.delete(name)
  }
}
