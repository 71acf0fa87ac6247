import type { Facts } from '../../facts/fact.ts'
import { entryOf, left, type Now, shell } from '../../os/now.ts'
import { type Left, type Step, step } from '../../reconcile/step.ts'
import { type Certified, certificates } from './fact.ts'
import { type Fault, faultOf } from './fault.ts'
import { issued } from './issued.ts'
import type { CertificateItem } from './item.ts'
import { pathsOf } from './paths.ts'
import { KEY, PLACE, SIGN } from './programs.ts'
import { signableOf } from './signable.ts'

/** Of a key. */
const MODE = 0o600
const DEADLINE_MS = 60_000
// Whoever uses it may take long to start.
const RENEW_MS = 300_000

export interface CertificateSteps {
  steps: Step[]
  /** There is none that serves yet: what needs it waits. */
  pending: boolean
}

/** A key and a request on the node, then the signature on a control node, then the certificate on the node: each in a round of its own. */
export function certificateSteps(item: CertificateItem, o: { now: Now; facts: Facts }): CertificateSteps {
  const { all, nowMs } = o.facts.get(o.now.node, certificates)
  const found = all.get(item.name)
  const bad = keyFault(item, found)
  if (bad) return { steps: [makeKey(item, o.now, { found, says: bad })], pending: true }
  const fault = faultOf(found?.certificate, item, { key: found!.key, nowMs })
  if (!fault) return { steps: [], pending: false }
  const signed = signedFor(item, { ...o, key: found!.key, nowMs })
  const pending = !fault.usable
  if (!signed) return { steps: [sign(item, { ...o, found: found!, fault })], pending }
  return { steps: pending ? [place(item, o.now, { pem: signed, fault })] : [], pending: false }
}

/** The certificate that takes the place of one that still serves, and those behind it told. Undefined where there is none. */
export function renewal(item: CertificateItem, o: { now: Now; facts: Facts }): Step | undefined {
  const { all, nowMs } = o.facts.get(o.now.node, certificates)
  const found = all.get(item.name)
  if (!found || keyFault(item, found)) return undefined
  const fault = faultOf(found.certificate, item, { key: found.key, nowMs })
  const signed = fault?.usable && signedFor(item, { ...o, key: found.key, nowMs })
  return signed ? place(item, o.now, { pem: signed, fault }) : undefined
}

function keyFault({ owner }: CertificateItem, found: Certified | undefined): string | undefined {
  if (!found) return 'there is none'
  if (!found.key) return 'it cannot be read'
  if (found.mode !== MODE || found.owner !== owner) return `it belongs to ${owner} alone`
  if (!found.request) return 'its request is missing'
  return undefined
}

function makeKey(item: CertificateItem, now: Now, o: { found?: Certified; says: string }): Step {
  const paths = Object.values(pathsOf(item.name))
  const missing = paths.filter(path => !entryOf(now, 'file', path))
  const anew = o.found && isOpen(o.found, item) ? 'new' : 'keep'
  return step({
    node: now.node,
    says: o.found
      ? `put back the key of ${item.name}: ${o.says} (${item.says})`
      : `make a key for ${item.name}: ${item.says}`,
    risk: o.found ? 'change' : 'add',
    deadlineMs: DEADLINE_MS,
    act: shell(KEY, item.name, item.owner, MODE.toString(8), anew),
    leaves: missing.map((path): Left => left(now, 'file', path)),
  })
}

/** Others could read it, so it is nobody's secret any more. The group of its own user is no other: keys of an earlier version are like that. */
const isOpen = ({ mode, owner }: Certified, item: CertificateItem) =>
  (mode & ~(groupOf(owner) === groupOf(item.owner) ? 0o640 : MODE)) !== 0

const groupOf = (owner: string) => owner.split(':')[1]

/** By the first control node of those that answered: its step fails, and says so, where the CA's key is not there. */
function sign(item: CertificateItem, o: { now: Now; facts: Facts; found: Certified; fault: Fault }): Step {
  const { control } = item.authority
  const signer = control.find(node => o.facts.peek(node, issued).known) ?? control[0]!
  const { node } = o.now
  const { subject, seconds, extensions } = signableOf(item)
  return step({
    node: signer,
    says: `sign the certificate of ${item.name} on ${node}: ${o.fault.says} (${item.says})`,
    risk: 'add',
    deadlineMs: DEADLINE_MS,
    act: {
      ...shell(SIGN, node, item.name, subject, String(seconds), extensions),
      stdin: o.found.request!,
    },
  })
}

function signedFor(
  item: CertificateItem,
  o: { now: Now; facts: Facts; key?: string; nowMs: number },
): string | undefined {
  return item.authority.control
    .map(node => {
      const answer = o.facts.peek(node, issued)
      return answer.known ? answer.value.get(`${o.now.node} ${item.name}`) : undefined
    })
    .find(pem => pem !== undefined && !faultOf(pem, item, o))
}

function place(item: CertificateItem, now: Now, o: { pem: string; fault: Fault }): Step {
  const { certificate } = pathsOf(item.name)
  return step({
    node: now.node,
    says: `write ${certificate}: ${o.fault.says} (${item.says})`,
    risk: o.fault.usable && item.users.length > 0 ? 'restart' : 'add',
    deadlineMs: RENEW_MS,
    act: { ...shell(PLACE, item.name, ...item.users), stdin: o.pem },
  })
}
