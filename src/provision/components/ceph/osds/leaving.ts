import { fill } from '../../../os/template.ts'
import { type Step, step } from '../../../reconcile/step.ts'
import { osdUnit } from './places.ts'

const QUICK_MS = 120_000
/** It gives up by itself when nothing moves any more; a large disk takes days. */
const DRAIN_MS = 14 * 24 * 60 * 60_000

export interface Leaving {
  /** Whose monitor is asked. */
  control: string
  id: number
  uuid: string
}

/** `apart`: the kind of place on which copies lie apart, such as host. */
export const takenOut = (o: Leaving, apart: string): Step =>
  asked(o, {
    says: `take osd.${o.id} out, if the other disks can hold its data`,
    risk: 'change',
    words: ['out', apart],
  })

export const drained = (o: Leaving): Step =>
  asked(o, {
    says: `wait until all that is on osd.${o.id} is elsewhere`,
    risk: 'add',
    deadlineMs: DRAIN_MS,
    words: ['drained'],
  })

export const purged = (o: Leaving): Step =>
  asked(o, { says: `forget osd.${o.id}, if nothing is on it alone`, risk: 'destroy', words: ['purge'] })

export const stopped = (node: string, id: number): Step =>
  step({
    node,
    says: `stop ${osdUnit(id)}`,
    risk: 'restart',
    deadlineMs: QUICK_MS,
    act: { do: 'run', argv: ['systemctl', '--quiet', 'disable', '--now', osdUnit(id)] },
  })

function asked(
  { control, id, uuid }: Leaving,
  { words: [act, ...more], ...o }: { says: string; risk: Step['risk']; deadlineMs?: number; words: string[] },
): Step {
  const argv = ['python3', '-c', fill('ceph/osd-leaves.py', {}), act!, String(id), uuid, ...more]
  return step({ node: control, deadlineMs: QUICK_MS, ...o, act: { do: 'run', argv } })
}
