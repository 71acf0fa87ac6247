import { randomBytes } from 'node:crypto'
import { anySignal } from '../../any-signal.ts'
import { EXIT, Failure } from '../../errors.ts'
import { type Judged, standsAgainst } from '../check/index.ts'
import type { WantedNode } from '../cluster/cluster.ts'
import type { Access, Proving } from '../components/component.ts'
import type { Connection } from '../connections/connection.ts'
import type { Facts } from '../facts/fact.ts'
import { type Applied, nextApplied, rememberSteps } from '../reconcile/applied.ts'
import { type ApplyOptions, applyWaves, type StepEvent } from '../reconcile/apply.ts'
import { fence, highestFence, stepsRun } from '../reconcile/fence.ts'
import { type Holder, type Lock, lockHolder, takeLock } from '../reconcile/lock.ts'
import { type ComponentPlan, judgeAll, stoppedIn } from '../reconcile/plan.ts'
import { type Outcome, rounds } from '../reconcile/rounds.ts'
import type { Part } from '../reconcile/view.ts'
import { authorityOf, withSecrets } from '../secrets/given.ts'
import { recoveryChosen, recoveryOf, recoverySteps } from '../secrets/recovery.ts'
import { type Look, look, MEMORY, nothingToDo, type Wanted, wishesOf } from './look.ts'
import { proveAll } from './prove.ts'

export interface UpOptions extends Wanted {
  lockWaitMs: number
  onEvent(event: UpEvent): void
  /** The bytes that `place` steps put on machines. */
  artifacts?: ApplyOptions['artifacts']
  /** Where the recovery file is written, on this machine. */
  recoveryFile: string
  /** Asked with what the first round would do; throws to stop. */
  agree(plans: ComponentPlan[]): Promise<void>
}

export type UpEvent =
  | StepEvent
  | { type: 'phase'; says: string }
  | { type: 'waiting'; holder: Holder }
  | { type: 'plan'; plans: ComponentPlan[] }
  | { type: 'finding'; finding: Judged }

export interface Up {
  changed: number
  failed: Outcome['failed']
  /** Nodes that did not answer, and nodes whose part could not be planned. */
  skipped: Look['skipped']
  findings: ReturnType<typeof judgeAll>
  /** What the cluster remembers now. */
  applied: Applied | null
  /** A recovery file was written. */
  recovered: boolean
  /** Certificate of the cluster's CA (PEM), for clients; undefined where there is none. */
  ca: string | undefined
  /** How clients come in; undefined where nothing lets them in, or not all was applied. */
  access?: Access
}

// What already runs on a node may be an installation of packages.
export const FENCE_MS = 15 * 60_000

/** Makes the machines what the file wants. Whoever reads the result decides on the exit code. */
export async function up(o: UpOptions): Promise<Up> {
  o.onEvent({
    type: 'phase',
    says: `Looking at ${o.nodes.length} ${o.nodes.length === 1 ? 'node' : 'nodes'}`,
  })
  const found = await look(o)
  if (nothingToDo(found.plans)) {
    const outcome = { facts: found.facts, done: 0, failed: [] }
    return { ...judged(o, found, outcome), access: accessOf(found.parts, { ...o, facts: found.facts }) }
  }
  await recoverable(o, found)
  const { control } = found
  const findings = found.preflight()
  if (findings.some(standsAgainst) && (await othersWork(o, found))) return afterTheirs(o, found)
  ready(o, findings)
  o.onEvent({ type: 'plan', plans: found.plans })
  await o.agree(found.plans)
  return withLock(o, { control, doing: 'cluster up' }, lock =>
    change({ ...o, signal: lock.signal }, found, lock.number),
  )
}

/** Another run holds the lock; or it was killed, and its last step goes on by itself. */
const othersWork = async (o: UpOptions, { control, nodes }: Look): Promise<boolean> =>
  (await lockHolder([...connectionsOf(control, o).values()])) !== undefined ||
  (await stepsRun([...connectionsOf(nodes, o).values()], o))

/**
 * What stands against a change while another run makes one may be that run's own doing, such as a dpkg in the middle of its work. So its
 * end is waited for, and that of its steps, before anything is judged. Throws Failure (7).
 */
async function afterTheirs(o: UpOptions, { control, nodes }: Look): Promise<Up> {
  await withLock(o, { control, doing: 'cluster up' }, ({ number, signal }) =>
    fence([...connectionsOf(nodes, o).values()], number, { deadlineMs: FENCE_MS, signal }),
  )
  return up(o)
}

/** Secrets are made when it is known who can have them back. Throws Failure (2). */
async function recoverable({ cluster }: UpOptions, { parts }: Look): Promise<void> {
  recoveryChosen(cluster, wishesOf(parts))
  if (typeof cluster.recovery !== 'object') return
  const { encrypterFor } = await import('../secrets/recovery-file.ts')
  encrypterFor(cluster.recovery.recipients)
}

/** Nothing is begun on machines that cannot take it. Throws Failure (3). */
function ready(o: UpOptions, judged: Judged[]): void {
  for (const finding of judged) if (finding.level !== 'ok') o.onEvent({ type: 'finding', finding })
  const against = judged.filter(standsAgainst)
  if (against.length === 0) return
  throw new Failure('The machines are not ready, and nothing was changed.', {
    exit: EXIT.preflight,
    why: against.map(({ node, says, fix }) => `${node ?? 'all'}: ${says}${fix ? ` ${fix}` : ''}`).join('\n'),
    next: 'Look at all of it: llmagentos cluster check',
  })
}

/** Under the lock everything is looked at anew: somebody may have changed it since. */
async function change(o: UpOptions, before: Look, number: number): Promise<Up> {
  const connections = connectionsOf(before.nodes, o)
  o.onEvent({ type: 'phase', says: 'Making sure that nothing of an earlier run still works' })
  await fence([...connections.values()], number, { deadlineMs: FENCE_MS, signal: o.signal })
  const found = await look({ ...o, nodes: before.nodes })
  const applying: Applying = {
    ...o,
    ...found,
    connections,
    run: randomBytes(6).toString('hex'),
    number,
    holder: () => lockHolder([...connectionsOf(before.control, o).values()]),
  }
  const outcome = await rounds(applying, found.facts)
  const whole = outcome.failed.length === 0 && stoppedIn(found.plans).length === 0
  const recovered = whole && (await recover(found, { applying, outcome }))
  const last = whole ? await remember(found, { applying, outcome }) : found.last
  const after = judged(o, { ...found, last, skipped: before.skipped }, outcome)
  if (!whole) return { ...after, recovered }
  const proofs = await proveAll(found.parts, { ...applying, facts: outcome.facts })
  const access = accessOf(found.parts, { ...applying, facts: outcome.facts })
  return { ...after, recovered, access, findings: [...after.findings, ...proofs] }
}

type Applying = UpOptions & Look & Omit<ApplyOptions, 'component'>

/** The file is written before that is noted: a run that is killed between writes it again. */
async function recover(
  { parts, control }: Look,
  { applying, outcome }: { applying: Applying; outcome: Outcome },
): Promise<boolean> {
  const { facts } = outcome
  const recovering = { cluster: applying.cluster, control, wishes: wishesOf(parts), facts }
  const [recovery, steps] = [recoveryOf(recovering), recoverySteps(recovering)]
  if (!recovery || steps.length === 0) return false
  applying.onEvent({ type: 'phase', says: `Writing the recovery file ${applying.recoveryFile}` })
  const { writeRecovery } = await import('../secrets/recovery-file.ts')
  await writeRecovery(applying.recoveryFile, recovery)
  const wave = { says: 'note that there is a recovery file', steps }
  const applied = await applyWaves([wave], { ...applying, component: MEMORY })
  outcome.done += applied.done.length
  outcome.failed.push(...applied.failed)
  return true
}

/** Last, so that a run which stopped half-way is not what the cluster remembers. */
async function remember(
  found: Look,
  { applying, outcome }: { applying: Applying; outcome: Outcome },
): Promise<Applied | null> {
  const record = nextApplied({ ...applying, last: found.last, now: new Date() })
  const steps = rememberSteps(record, { control: found.control, facts: outcome.facts })
  if (steps.length === 0) return record
  const wave = { says: 'remember what was applied', steps }
  const applied = await applyWaves([wave], { ...applying, component: MEMORY })
  outcome.done += applied.done.length
  outcome.failed.push(...applied.failed)
  if (applied.notRun.length > 0) applying.signal?.throwIfAborted()
  return applied.failed.length === 0 ? record : found.last
}

/** Does work under the lock of the control nodes; `doing` is what others are told. Throws Failure (7) where it is taken, or lost. */
export async function withLock<T>(
  o: Pick<UpOptions, 'connections' | 'who' | 'lockWaitMs' | 'onEvent' | 'signal'>,
  { control: nodes, doing }: { control: WantedNode[]; doing: string },
  work: (lock: Lock) => Promise<T>,
): Promise<T> {
  // By name, so that the order of two files does not matter.
  const control = [
    ...connectionsOf(
      nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      o,
    ).values(),
  ]
  o.onEvent({ type: 'phase', says: 'Taking the lock' })
  const lock = await takeLock(control, {
    who: o.who,
    doing,
    waitMs: o.lockWaitMs,
    above: await highestFence([...o.connections.values()], o),
    signal: o.signal,
    onWait: holder => o.onEvent({ type: 'waiting', holder }),
  })
  const signal = anySignal([lock.signal, ...(o.signal ? [o.signal] : [])])
  try {
    return await work({ ...lock, signal })
  } catch (thrown) {
    throw lock.signal.aborted ? lock.signal.reason : thrown
  } finally {
    await lock.release()
  }
}

const accessOf = (parts: Part[], o: Proving & { facts: Facts }): Access | undefined => {
  const door = parts.find(({ component }) => component.admit)
  return door?.component.admit?.(withSecrets(door.component, door.view, o.facts), o.facts, o)
}

function judged({ cluster }: UpOptions, found: Look, outcome: Outcome): Up {
  const stopped = stoppedIn(found.plans).map(({ node, why }) => ({ node, why }))
  return {
    changed: outcome.done,
    failed: outcome.failed,
    skipped: [...found.skipped, ...stopped],
    findings: judgeAll(found.parts, outcome.facts),
    applied: found.last,
    recovered: false,
    ca: authorityOf(cluster, outcome.facts),
  }
}

export const connectionsOf = (
  nodes: WantedNode[],
  { connections }: Pick<UpOptions, 'connections'>,
): Map<string, Connection> => new Map(nodes.map(({ name }) => [name, connections.get(name)!]))
