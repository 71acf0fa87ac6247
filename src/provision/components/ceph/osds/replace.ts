import { EXIT, Failure } from '../../../../errors.ts'
import { shell } from '../../../os/now.ts'
import { type Step, step, type Wave } from '../../../reconcile/step.ts'
import type { Component } from '../../component.ts'
import type { Config } from '../schema.ts'
import { anyTold } from '../told.ts'
import { lastIndex } from './indexes.ts'
import { drained, stopped, takenOut } from './leaving.ts'
import { LET_GO } from './lvm.ts'
import { made } from './made.ts'
import { FOLDERS, heldOsd } from './places.ts'

const SAFE_MS = 30 * 60_000
const QUICK_MS = 120_000

/**
 * Gives up the OSD of a disk, so that the OSD of another one takes over its id: out, until nothing needs it, stopped, destroyed. What was
 * done already does no harm when it is done again. undefined where the disk is nobody's here.
 */
export const replaceDisk: NonNullable<Component<Config>['replaceDisk']> = (view, facts, o) => {
  const { osds } = facts.get(o.node, made)
  if (osds.some(one => one.disk === o.to && one.takes !== undefined && !one.whole)) return []
  const old = osds.find(one => one.whole && one.disk === o.from)
  if (old?.id === undefined) return undefined
  const up = anyTold(view, facts)
  if (!up)
    throw new Failure('No monitor answers, and nothing was changed.', {
      exit: EXIT.unreachable,
      next: 'Look at it: llmagentos cluster status',
    })
  const id = String(old.id)
  const leaving = { control: up.node, id: old.id, uuid: old.uuid ?? '-' }
  const waves: Wave[] = [
    {
      says: `take osd.${id} out`,
      steps: o.fewerCopies
        ? [okToStop(up.node, id)]
        : [takenOut(leaving, view.config.osd.failureDomain), drained(leaving)],
    },
    { says: `stop osd.${id}`, steps: [stopped(o.node, old.id)] },
    {
      says: `give up osd.${id}`,
      steps: [
        step({
          node: up.node,
          says: `give up osd.${id}, and keep its id`,
          risk: 'destroy',
          deadlineMs: QUICK_MS,
          act: shell('exec ceph --connect-timeout 30 osd destroy "$1" --yes-i-really-mean-it', id),
        }),
      ],
    },
    {
      says: 'hand over',
      steps: [
        step({
          node: o.node,
          says: `let the OSD of ${o.to} take over as osd.${id}`,
          risk: 'destroy',
          deadlineMs: QUICK_MS,
          act: shell(HAND_OVER, id, o.from, o.to),
          leaves: [heldOsd(o.to)],
          takes: [heldOsd(o.from), ...lastIndex(old, osds)],
        }),
      ],
    },
  ]
  return waves
}

// What is said to the next disk is safe before the old one is forgotten.
const HAND_OVER = `set -eu
${LET_GO}
cd ${FOLDERS}
install -d -m 0750 -o ceph -g ceph "by-disk/$3"
echo "$1" >"by-disk/$3/takes"
sync -f "by-disk/$3"
uuid=$(cat "by-disk/$2/fsid" 2>/dev/null || :)
[ -L "ceph-$1" ] && rm -f "ceph-$1" || { umount "ceph-$1" 2>/dev/null || :; rmdir "ceph-$1" 2>/dev/null || :; }
# A disk that is gone, or broken, keeps nobody from going on.
[ -z "$uuid" ] || let_go "$uuid" || :
rm -rf "by-disk/$2"
sync .`

const okToStop = (node: string, id: string): Step =>
  step({
    node,
    says: `wait until all data stays within reach without osd.${id}`,
    risk: 'add',
    deadlineMs: SAFE_MS,
    act: { do: 'wait', argv: ['ceph', '--connect-timeout', '30', 'osd', 'ok-to-stop', id] },
  })
