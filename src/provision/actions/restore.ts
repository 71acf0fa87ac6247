import { randomBytes } from 'node:crypto'
import { EXIT, Failure } from '../../errors.ts'
import type { WantedNode } from '../cluster/cluster.ts'
import type { Connection } from '../connections/connection.ts'
import type { Facts } from '../facts/fact.ts'
import { gather } from '../facts/gather.ts'
import { type Applied, applyWaves } from '../reconcile/apply.ts'
import { fence } from '../reconcile/fence.ts'
import { lockHolder } from '../reconcile/lock.ts'
import { secretsFact } from '../secrets/fact.ts'
import type { Recovered } from '../secrets/recovered.ts'
import { type Stored, stateOf } from '../secrets/state.ts'
import { COMPONENT, copy } from '../secrets/steps.ts'
import { connectionsOf, FENCE_MS, type UpOptions, withLock } from './up.ts'

export interface RestoreOptions
  extends Pick<
    UpOptions,
    'cluster' | 'connections' | 'unreached' | 'who' | 'lockWaitMs' | 'onEvent' | 'signal'
  > {
  recovered: Recovered
}

export interface Restored {
  /** Names of the secrets that are on a control node again. */
  restored: string[]
  /** Those that were there, with the same value. */
  there: string[]
  failed: Applied['failed']
}

/**
 * Puts secrets of a recovery file on one control node, each only where no control node has one; the next `up` copies them to the others.
 * Throws Failure: 2 for another cluster's file, 4 where a control node is missing, 9 where there is another value.
 */
export async function restore(o: RestoreOptions): Promise<Restored> {
  const control = controlOf(o)
  return withLock(o, { control, doing: 'cluster secrets restore' }, async ({ signal, number }) => {
    const connections = connectionsOf(control, o)
    await fence([...connections.values()], number, { deadlineMs: FENCE_MS, signal })
    const { missing, there } = compared(o.recovered, await storedOn(control, { connections, signal }))
    const first = control[0]!.name
    const steps = missing.map(name =>
      copy(first, name, { value: o.recovered.secrets.get(name)!, from: 'the recovery file' }),
    )
    const applied = await applyWaves([{ says: 'secrets of the recovery file', steps }], {
      connections,
      run: randomBytes(6).toString('hex'),
      who: o.who,
      number,
      component: COMPONENT,
      holder: () => lockHolder([...connections.values()]),
      onEvent: o.onEvent,
      signal,
    })
    const failed = new Set(applied.failed.map(({ step }) => step))
    const kept = missing.filter((_, i) => applied.done.includes(steps[i]!) && !failed.has(steps[i]!))
    return { restored: kept, there, failed: applied.failed }
  })
}

/** All of them: one that does not answer may have a value of its own. */
function controlOf({ cluster, connections, recovered }: RestoreOptions): WantedNode[] {
  if (recovered.cluster !== cluster.name)
    throw new Failure(`The recovery file is of the cluster ${recovered.cluster}, not of ${cluster.name}.`, {
      exit: EXIT.usage,
    })
  const control = cluster.nodes.filter(node => node.roles.includes('control'))
  const missing = control.filter(({ name, state }) => state === 'offline' || !connections.has(name))
  if (missing.length === 0) return control
  const names = missing.map(({ name }) => name).join(', ')
  throw new Failure(`Secrets cannot be restored without ${names}.`, {
    exit: EXIT.unreachable,
    why: 'a control node that takes no part may have them; nothing was changed',
    next: `Bring back ${names}, or take ${missing.length === 1 ? 'it' : 'them'} out of cluster.yaml when the machine is gone for good.`,
  })
}

async function storedOn(
  control: WantedNode[],
  { connections, signal }: { connections: Map<string, Connection>; signal: AbortSignal },
): Promise<Stored> {
  const asked = control.map(({ name }) => ({ connection: connections.get(name)!, facts: [secretsFact] }))
  const { facts }: { facts: Facts } = await gather(asked, { signal })
  return new Map(control.map(({ name }) => [name, facts.get(name, secretsFact)]))
}

function compared({ secrets }: Recovered, stored: Stored): { missing: string[]; there: string[] } {
  const [missing, there, other]: [string[], string[], string[]] = [[], [], []]
  for (const [name, wanted] of secrets) {
    const { value, rotation } = stateOf(name, stored)
    const found = [value, rotation?.next].flatMap(one => (one ? [one.reveal()] : []))
    if (found.length === 0) missing.push(name)
    else (found.includes(wanted.reveal()) ? there : other).push(name)
  }
  if (other.length === 0) return { missing, there }
  throw new Failure(`The control nodes have another value of ${other.join(', ')} than the recovery file.`, {
    exit: EXIT.unsafe,
    why: 'what is in use is never overwritten; nothing was changed',
    next: 'Use a newer recovery file; or, where the one in use is wrong, move it away on the control nodes (/var/lib/llmagentos/secrets).',
  })
}
