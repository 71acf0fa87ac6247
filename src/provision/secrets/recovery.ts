import { createHash } from 'node:crypto'
import { EXIT, Failure } from '../../errors.ts'
import { Secret } from '../../secret.ts'
import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import type { Fact, Facts } from '../facts/fact.ts'
import { type Step, step } from '../reconcile/step.ts'
import { secretsFact } from './fact.ts'
import { stateOf } from './state.ts'
import { COMPONENT } from './steps.ts'
import type { SecretWish } from './wish.ts'

const NOTE = '/var/lib/llmagentos/recovery'
const DEADLINE_MS = 10_000

/** On control nodes: of what the last recovery file was made; empty where there was none. */
export const recoveryFact: Fact<string> = {
  id: 'recovery',
  deadlineMs: 5_000,
  script: `[ ! -e ${NOTE} ] || cat ${NOTE}`,
  parse: stdout => stdout.trim(),
}

export interface Recovery {
  recipients: string[]
  /** All secrets as JSON. */
  contents: Secret
  /** Of recipients, names and values: another one wants another file. */
  digest: string
}

export interface Recovering {
  cluster: Cluster
  control: WantedNode[]
  wishes: readonly SecretWish[]
  facts: Facts
}

/** What the recovery file is to hold; undefined where none is wanted, or while a secret is missing. */
export function recoveryOf({ cluster, control, wishes, facts }: Recovering): Recovery | undefined {
  if (typeof cluster.recovery !== 'object' || wishes.length === 0) return undefined
  const { recipients } = cluster.recovery
  const stored = new Map(control.map(({ name }) => [name, facts.get(name, secretsFact)]))
  const values = wishes.map(({ name }) => [name, stateOf(name, stored).value?.reveal()] as const)
  if (values.some(([, value]) => value === undefined)) return undefined
  const secrets = Object.fromEntries(values.toSorted())
  const digest = createHash('sha256')
    .update(JSON.stringify([recipients.toSorted(), secrets]))
    .digest('hex')
  const contents = { format: 1, cluster: cluster.name, secrets }
  return { recipients, contents: new Secret(`${JSON.stringify(contents, undefined, 2)}\n`), digest }
}

/** Steps that note on the control nodes that the file was written; none where the last one holds the same. */
export function recoverySteps(o: Recovering): Step[] {
  const recovery = recoveryOf(o)
  if (!recovery) return []
  const { digest, recipients } = recovery
  const lacking = o.control.filter(node => o.facts.get(node.name, recoveryFact) !== digest)
  const readers = `${recipients.length} ${recipients.length === 1 ? 'recipient' : 'recipients'}`
  return lacking.map(node =>
    step({
      node: node.name,
      says: `note that a recovery file with ${o.wishes.length} secrets was written for ${readers}`,
      risk: 'add',
      deadlineMs: DEADLINE_MS,
      act: { do: 'write', path: NOTE, text: `${digest}\n`, mode: 0o600, owner: 'root:root' },
      leaves: [{ component: COMPONENT, kind: 'held', name: NOTE }],
    }),
  )
}

/** Throws Failure (2) where secrets are wanted and nobody said what becomes of them should all control nodes be lost. */
export function recoveryChosen({ recovery }: Cluster, wishes: readonly SecretWish[]): void {
  if (wishes.length === 0 || recovery !== undefined) return
  throw new Failure('cluster.yaml does not say who can recover the secrets of this cluster.', {
    exit: EXIT.usage,
    why: 'should all control nodes be lost, nothing else would have them',
    next: 'Write `recovery: {recipients: [age1...]}`, with a key from `age-keygen`; or `recovery: none`.',
  })
}
