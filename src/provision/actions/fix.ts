import { randomBytes } from 'node:crypto'
import { anySignal } from '../../any-signal.ts'
import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import type { Connection } from '../connections/connection.ts'
import { type Applied, applyWaves, type StepEvent } from '../reconcile/apply.ts'
import { fence, highestFence } from '../reconcile/fence.ts'
import { lockHolder, takeLock } from '../reconcile/lock.ts'
import type { Step } from '../reconcile/step.ts'

export interface FixOptions {
  cluster: Cluster
  /** Throws Failure for a node whose way or identity is refused. */
  connect(node: WantedNode): Promise<Connection>
  /** `user@host` of the operator. */
  who: string
  onEvent?(event: StepEvent): void
  signal?: AbortSignal
}

const FENCE_MS = 60_000

/** Does what a check found can be put right. */
export const fix = (steps: Step[], o: FixOptions): Promise<Applied> =>
  underLock(steps, { ...o, doing: 'cluster check --fix', says: 'put machines right', component: 'check' })

/**
 * One wave under the cluster's lock, without a look at anything else. A step that fails stops only its node. Throws Failure: 4 where no
 * majority of the control nodes answers, 7 when somebody else is changing the cluster, 130.
 */
export async function underLock(
  steps: Step[],
  o: FixOptions & { doing: string; says: string; component: string },
): Promise<Applied> {
  const { cluster, signal } = o
  const wanted = new Set(steps.map(({ node }) => node))
  const control = await connected(
    cluster.nodes.filter(node => node.roles.includes('control') && node.state !== 'offline'),
    o,
  )
  const connections = new Map([
    ...(await connected(
      cluster.nodes.filter(({ name }) => wanted.has(name) && !control.has(name)),
      o,
    )),
    ...control,
  ])
  const lock = await takeLock([...control.values()], {
    who: o.who,
    doing: o.doing,
    waitMs: 0,
    above: await highestFence([...connections.values()], { signal }),
    signal,
  })
  const either = anySignal([lock.signal, ...(signal ? [signal] : [])])
  try {
    const touched = [...connections.values()].filter(({ node }) => wanted.has(node))
    await fence(touched, lock.number, { deadlineMs: FENCE_MS, signal: either })
    return await applyWaves([{ says: o.says, steps }], {
      connections,
      run: randomBytes(6).toString('hex'),
      who: o.who,
      number: lock.number,
      component: o.component,
      holder: () => lockHolder([...control.values()]),
      onEvent: o.onEvent,
      signal: either,
    })
  } catch (thrown) {
    throw lock.signal.aborted ? lock.signal.reason : thrown
  } finally {
    await lock.release()
  }
}

/** Every control node counts for the majority, so that one whose identity is refused ends it here. */
const connected = async (nodes: WantedNode[], o: FixOptions): Promise<Map<string, Connection>> =>
  new Map(await Promise.all(nodes.map(async node => [node.name, await o.connect(node)] as const)))
