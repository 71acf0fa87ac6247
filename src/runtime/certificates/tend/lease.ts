import type { X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { LEASE_MS, type TendedCertificate } from '../../../contracts/certificates.ts'
import { NoSigner, type Signers } from './signers.ts'

const WAIT_MS = LEASE_MS + 30_000
const PAUSE_MS = 3_000

interface Leasing {
  wanted: TendedCertificate
  signers: Signers
  /** The certificate that is about to end. */
  before: X509Certificate
  signal: AbortSignal
  say(line: string): void
}

/**
 * Does what takes out our replica while no other node may take out its own: most control nodes have to agree. Where units need not be told,
 * nothing is taken out. Near the end of a certificate it is done without them, because an ended one serves nobody.
 */
export async function underLease(o: Leasing, work: () => Promise<void>): Promise<void> {
  const { wanted, signers } = o
  if (wanted.users.length === 0) return work()
  const until = Date.now() + WAIT_MS
  for (;;) {
    const { taken, asked } = await take(o)
    try {
      if (taken.length > signers.count / 2) return await work()
      if (asked.silent >= signers.count / 2) {
        if (!isUrgent(o)) throw new NoSigner(`too few control nodes answered for a lease on ${wanted.name}`)
        o.say(
          `${wanted.name}: without a lease, because too few control nodes answered and little time is left`,
        )
        return await work()
      }
    } finally {
      await Promise.all(taken.map(i => signers.release(i, wanted.name)))
    }
    if (Date.now() > until) throw new Error(`other nodes held the lease on ${wanted.name} for too long`)
    await sleep(PAUSE_MS * (0.5 + Math.random()), undefined, { signal: o.signal })
  }
}

/** In the same order by every node, and not on where another one has it: so one of several wins. */
async function take({ wanted, signers, signal }: Leasing) {
  const taken: number[] = []
  const asked = { silent: 0 }
  for (let i = 0; i < signers.count; i++) {
    const answer = await signers.takeLease(i, wanted.name, signal)
    if (answer === 'held') break
    if (answer === 'taken') taken.push(i)
    else asked.silent++
  }
  return { taken, asked }
}

const isUrgent = ({ before, wanted }: Leasing) => Date.parse(before.validTo) - Date.now() < wanted.lifeMs / 6
