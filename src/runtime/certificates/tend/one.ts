import { createPrivateKey, createPublicKey, type X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { TendConfig, TendedCertificate } from '../../../contracts/certificates.ts'
import { codeOf, reasonOf } from '../../../errors.ts'
import { isSignedBy, readCertificate } from '../own-ca.ts'
import { underLease } from './lease.ts'
import { place } from './place.ts'
import { NoSigner, Signers } from './signers.ts'
import { mustBeTold, tellUsers, toBeTold } from './users.ts'

export interface Around {
  config: TendConfig
  ca: { pem: string; certificate: X509Certificate }
  signal: AbortSignal
  say(line: string): void
}

export interface Outcome {
  name: string
  did: 'kept' | 'renewed' | 'failed'
  /** End of the certificate that is there now, ISO 8601. */
  until?: string
  why?: string
  /** It failed because no control node answered. */
  alone?: boolean
}

/** Renews one certificate when a third of its life is left. Never throws for what may be better the next time. */
export async function tendOne(wanted: TendedCertificate, o: Around): Promise<Outcome> {
  const { name } = wanted
  try {
    const files = filesOf(wanted)
    // A key that is not there yet is made by `up`.
    if (!files) return { name, did: 'kept' }
    if (toBeTold(wanted, o)) {
      o.say(`${name}: telling ${wanted.users.join(', ')} of the certificate that was placed before`)
      await tellUsers(wanted, o)
    }
    const now = certificateOf(files, o)
    const until = new Date(now.validTo).toISOString()
    if (Date.parse(now.validTo) - Date.now() >= wanted.lifeMs / 3) return { name, did: 'kept', until }
    return await renewed(wanted, now, { ...o, files })
  } catch (thrown) {
    return {
      name,
      did: 'failed',
      why: reasonOf(thrown),
      ...(thrown instanceof NoSigner && { alone: true }),
    }
  }
}

interface Files {
  cert: string
  key: string
}

async function renewed(
  wanted: TendedCertificate,
  before: X509Certificate,
  o: Around & { files: Files },
): Promise<Outcome> {
  const { name } = wanted
  const signers = new Signers(o.config, { ...o.files, ca: o.ca.pem })
  try {
    const pem = await signers.certificate(name, readFileSync(wanted.request, 'utf8'), o.signal)
    const fresh = acceptable(pem, before, o)
    await underLease({ wanted, signers, before, ...o }, async () => {
      if (wanted.users.length > 0) mustBeTold(wanted, o)
      place(wanted.cert, pem)
      await tellUsers(wanted, o)
    })
    const until = new Date(fresh.validTo).toISOString()
    o.say(`${name}: renewed, valid until ${until}`)
    return { name, did: 'renewed', until }
  } finally {
    await signers.close()
  }
}

function filesOf({ cert, key }: TendedCertificate): Files | undefined {
  try {
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

/** The one that is there. Throws where it cannot renew itself: that is for `up`. */
function certificateOf({ cert, key }: Files, { ca }: Around): X509Certificate {
  const found = readCertificate(cert)
  const useless = (why: string) => new Error(`${why}; \`llmagentos cluster up\` makes a new one`)
  if (!found) throw useless('its certificate is damaged')
  if (!isSignedBy(found, ca.certificate)) throw useless("its certificate is not from the cluster's CA of now")
  if (!found.checkPrivateKey(createPrivateKey(key))) throw useless('its certificate is for another key')
  if (Date.parse(found.validTo) <= Date.now())
    throw useless(`its certificate ended on ${found.validTo}, and an ended one renews nothing`)
  return found
}

/** The new one, if it may take the place of the one before. */
function acceptable(pem: string, before: X509Certificate, { ca, files }: Around & { files: Files }) {
  const fresh = readCertificate(pem)
  const key = createPublicKey(files.key)
  if (!fresh || !isSignedBy(fresh, ca.certificate) || !fresh.publicKey.equals(key))
    throw new Error('what was signed is no certificate of ours for our key')
  if (Date.parse(fresh.validTo) <= Date.parse(before.validTo))
    throw new Error('what was signed ends no later than what is there')
  return fresh
}
