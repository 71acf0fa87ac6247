import { Secret } from '../../../../secret.ts'
import type { WantedNode } from '../../../cluster/cluster.ts'
import { diskNamed, osdOn } from '../../../disks/disk.ts'
import { disks } from '../../../disks/fact.ts'
import { stateOf } from '../../../disks/guard.ts'
import { taking } from '../../../disks/take.ts'
import { type Facts, UnknownFact } from '../../../facts/fact.ts'
import { type Step, step } from '../../../reconcile/step.ts'
import type { View } from '../../component.ts'
import { BOOTSTRAP_OSD_SECRET, FSID_SECRET } from '../names.ts'
import type { Config } from '../schema.ts'
import { osdUuid } from './identity.ts'
import { made } from './made.ts'
import type { KnownOsd } from './map.ts'
import { heldOsd } from './places.ts'
import { MAKE_RAW } from './raw.ts'

const MAKE_MS = 10 * 60_000

/**
 * One step for each disk of a node that has no OSD yet. Refuse() has seen to it that none of them holds anything but a half-made OSD of ours;
 * the step looks again itself. Throws UnknownFact.
 */
export function makingSteps(
  view: View<Config>,
  o: { facts: Facts; node: WantedNode; known: KnownOsd[] },
): Step[] {
  const { name: node } = o.node
  const have = o.facts.get(node, made).osds
  const missing = o.node.disks.filter(({ id }) => !have.some(one => one.disk === id && one.whole))
  return missing.map(({ id: name }) => {
    const disk = diskNamed(o.facts.get(node, disks), name)
    if (!disk) throw new UnknownFact(node, { fact: `its disk ${name}`, why: 'it is not there' })
    const state = stateOf(disk)
    if (state.state === 'unknown')
      throw new UnknownFact(node, { fact: `what its disk ${name} holds`, why: state.why })
    const uuid = osdUuid({ fsid: view.secret(FSID_SECRET).reveal(), node, disk: name })
    const earlier = o.known.find(one => one.uuid === uuid)
    const takes = have.find(one => one.disk === name)?.takes
    const words = [uuid, name, String(earlier?.id ?? '-'), String(takes ?? '-')]
    return step({
      node,
      says: `${osdOn(disk) || earlier ? 'finish' : 'make'} an OSD on ${name}${takes === undefined ? '' : `, which takes over as osd.${takes}`}`,
      risk: 'add',
      deadlineMs: MAKE_MS,
      act: {
        do: 'run',
        argv: taking({ name, disk, unfinished: uuid }, ['sh', '-c', MAKE_RAW, 'sh', ...words]),
        stdin: new Secret(view.secret(BOOTSTRAP_OSD_SECRET).reveal()),
      },
      leaves: [heldOsd(name)],
    })
  })
}
