import { Failure, reasonOf } from '../../errors.ts'
import type { WantedNode } from '../cluster/cluster.ts'
import { stepsOf } from '../reconcile/plan.ts'
import { FENCED } from '../reconcile/programs/places.ts'
import type { Step } from '../reconcile/step.ts'
import type { DownOptions, Removed } from './down.ts'
import { MEMORY } from './look.ts'

/** Not run as steps are: these write to a journal that goes here. Adds to the outcome; a run that is killed between goes on here. */
export async function forgetAll(
  removed: Removed,
  o: Pick<DownOptions, 'connections' | 'onEvent' | 'signal'> & { nodes: WantedNode[] },
): Promise<void> {
  o.signal?.throwIfAborted()
  const names = new Set(o.nodes.map(({ name }) => name))
  const steps = stepsOf([removed.plan]).filter(step => names.has(step.node))
  await Promise.all(steps.map(step => forgetOne(step, removed, o)))
}

async function forgetOne(
  step: Step,
  removed: Removed,
  { connections, onEvent }: Pick<DownOptions, 'connections' | 'onEvent'>,
): Promise<void> {
  const told = () => ({ component: MEMORY, at: Date.now(), step })
  const began = performance.now()
  onEvent({ type: 'begin', ...told() })
  const end = await run(step, { removed, connections })
  if (end === undefined) {
    removed.done++
    onEvent({ type: 'done', ...told(), ms: Math.round(performance.now() - began) })
    return
  }
  removed.failed.push({ step, ...end })
  onEvent({ type: 'failed', ...told(), ...end })
}

/** Undefined when it is done. Once begun it ends by itself, so Ctrl-C waits for it. */
async function run(
  { act, node, deadlineMs }: Step,
  { removed, connections }: { removed: Removed; connections: DownOptions['connections'] },
): Promise<{ code?: number; why: string; stderr: string } | undefined> {
  const argv = act.do === 'run' ? [...act.argv, String(removed.number)] : []
  try {
    const { code, stderr } = await connections.get(node)!.exec(argv, { root: true, deadlineMs })
    if (code === 0) return undefined
    const why = code === FENCED ? 'somebody else began to change the cluster meanwhile' : `exit code ${code}`
    return { code, why, stderr: stderr.trim() }
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    return { why: thrown.message, stderr: thrown.why ?? reasonOf(thrown) }
  }
}
