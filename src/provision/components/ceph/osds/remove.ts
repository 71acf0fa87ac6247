import { EXIT, Failure } from '../../../../errors.ts'
import { shell } from '../../../os/now.ts'
import { step, type Wave } from '../../../reconcile/step.ts'
import type { Component } from '../../component.ts'
import { COMPONENT, daemonPorts, isMon, unitOf } from '../names.ts'
import type { Config } from '../schema.ts'
import { anyTold, type OsdDump } from '../told.ts'
import { lastIndex } from './indexes.ts'
import { drained, type Leaving, purged, stopped, takenOut } from './leaving.ts'
import { LET_GO } from './lvm.ts'
import { made } from './made.ts'
import { FOLDERS, heldOsd, osdUnit } from './places.ts'
import { restarting, restartWaves } from './waves.ts'

/**
 * The OSD of a disk leaves for good: out, until all that is on it is elsewhere, stopped, forgotten. The disk stays as it is. What was done
 * already does no harm when it is done again. undefined where the disk is nobody's here.
 */
export const removeDisk: NonNullable<Component<Config>['removeDisk']> = (view, facts, o) => {
  const { osds } = facts.get(o.node, made)
  const own = osds.find(one => one.disk === o.disk)
  if (!own) return undefined
  if (!own.whole || own.id === undefined || own.uuid === undefined)
    throw new Failure(`The OSD on ${o.disk} of ${o.node} is not finished, and nothing was changed.`, {
      exit: EXIT.usage,
      next: 'Finish it first: llmagentos cluster up',
    })
  const up = anyTold(view, facts)
  if (!up)
    throw new Failure('No monitor answers, and nothing was changed.', {
      exit: EXIT.unreachable,
      next: 'Look at it: llmagentos cluster status',
    })
  const { id, uuid } = own
  const leaving: Leaving = { control: up.node, id, uuid }
  const node = view.nodes.find(({ name }) => name === o.node)!
  const named = node.disks.some(disk => disk.id === o.disk)
  const to = daemonPorts(view, node).to - (named ? PORTS_OF_ONE : 0)
  const others = osds.flatMap(one => (one.whole && one.id !== undefined && one.id !== id ? [one.id] : []))
  return [
    {
      says: `take osd.${id} out`,
      steps: [takenOut(leaving, view.config.osd.failureDomain), drained(leaving)],
    },
    { says: `stop osd.${id}`, steps: [stopped(o.node, id)] },
    { says: `forget osd.${id}`, steps: [purged(leaving)] },
    {
      says: `forget osd.${id} on ${o.node}`,
      steps: [
        step({
          node: o.node,
          says: `forget the OSD of ${o.disk}, and leave the disk as it is`,
          risk: 'destroy',
          deadlineMs: 120_000,
          act: shell(FORGET, String(id), o.disk, isMon(node) ? unitOf('mgr', o.node) : ''),
          takes: [
            heldOsd(o.disk),
            ...lastIndex(own, osds),
            { component: COMPONENT, kind: 'unit', name: osdUnit(id) },
          ],
        }),
      ],
    },
    // Fewer ports are open on the node from the next `up` on: who listens above them chooses anew, now that lower ones are free.
    ...restartWaves(
      beyond(up.told.osds, others, to).map(other => restarting(o.node, other)),
      { control: up.node },
    ),
  ] satisfies Wave[]
}

/** As daemonPorts counts. */
const PORTS_OF_ONE = 8

const FORGET = `set -eu
${LET_GO}
cd ${FOLDERS}
uuid=$(cat "by-disk/$2/fsid" 2>/dev/null || :)
[ -L "ceph-$1" ] && rm -f "ceph-$1" || { umount "ceph-$1" 2>/dev/null || :; [ ! -d "ceph-$1" ] || rmdir "ceph-$1"; }
[ -z "$uuid" ] || let_go "$uuid" || :
rm -rf "by-disk/$2"
sync .
# A manager chooses its port as OSDs do.
[ -z "$3" ] || systemctl try-restart "$3"`

/** Those of the OSDs that listen on a port above `to`. */
export const beyond = ({ osds }: Pick<OsdDump, 'osds'>, ids: number[], to: number): number[] =>
  osds
    .filter(one => ids.includes(one.osd))
    .filter(one =>
      [one.public_addrs, one.cluster_addrs, one.heartbeat_back_addrs, one.heartbeat_front_addrs].some(all =>
        (all?.addrvec ?? []).some(({ addr }) => Number(addr.slice(addr.lastIndexOf(':') + 1)) > to),
      ),
    )
    .map(one => one.osd)
