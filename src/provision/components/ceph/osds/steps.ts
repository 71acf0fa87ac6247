import { EXIT, Failure } from '../../../../errors.ts'
import { Secret } from '../../../../secret.ts'
import type { WantedNode } from '../../../cluster/cluster.ts'
import { type Disk, diskNamed, osdOn } from '../../../disks/disk.ts'
import { disks } from '../../../disks/fact.ts'
import { osdText, stateOf } from '../../../disks/guard.ts'
import { taking } from '../../../disks/take.ts'
import { type Facts, UnknownFact } from '../../../facts/fact.ts'
import { type Step, step } from '../../../reconcile/step.ts'
import type { View } from '../../component.ts'
import { BOOTSTRAP_OSD_SECRET, FSID_SECRET } from '../names.ts'
import type { Config } from '../schema.ts'
import { blockGroup, osdUuid } from './identity.ts'
import { indexGroup, sharedOn } from './indexes.ts'
import { MAKE_LVM } from './lvm.ts'
import { made } from './made.ts'
import type { KnownOsd } from './map.ts'
import { heldIndexes, heldOsd } from './places.ts'
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
  const fsid = view.secret(FSID_SECRET).reveal()
  return missing.map(({ id: name, db, class: kind }) => {
    const disk = known(name, { node, facts: o.facts })
    const uuid = osdUuid({ fsid, node, disk: name })
    const earlier = o.known.find(one => one.uuid === uuid)
    refuseOther({ node, name, disk, uuid, earlier })
    const takes = have.find(one => one.disk === name)?.takes
    const words = [uuid, name, String(earlier?.id ?? '-'), String(takes ?? '-')]
    const { backend, encrypt } = view.config.osd
    const index = db === undefined ? undefined : indexOn(db, { ...o, view, fsid })
    const maker =
      backend === 'lvm'
        ? [
            MAKE_LVM,
            'sh',
            ...words,
            encrypt ? 'yes' : 'no',
            kind ?? '-',
            ...(index?.words ?? ['-', '-', '-']),
          ]
        : [MAKE_RAW, 'sh', ...words]
    const own = taking(
      { name, disk, unfinished: uuid, ...(backend === 'lvm' && { group: blockGroup(uuid) }) },
      ['sh', '-c', ...maker],
    )
    return step({
      node,
      says: [
        `${osdOn(disk) || earlier ? 'finish' : 'make'} an OSD on ${name}`,
        ...(index ? [`with its index on ${db} (${index.says})`] : []),
        ...(takes === undefined ? [] : [`which takes over as osd.${takes}`]),
      ].join(', '),
      risk: 'add',
      deadlineMs: MAKE_MS,
      act: {
        do: 'run',
        argv: index ? taking(index.expected, own) : own,
        stdin: new Secret(view.secret(BOOTSTRAP_OSD_SECRET).reveal()),
      },
      leaves: [heldOsd(name), ...(db === undefined ? [] : [heldIndexes(db)])],
    })
  })
}

/** Throws UnknownFact unless it is there, and what it holds is known. */
function known(name: string, { node, facts }: { node: string; facts: Facts }): Disk {
  const disk = diskNamed(facts.get(node, disks), name)
  if (!disk) throw new UnknownFact(node, { fact: `its disk ${name}`, why: 'it is not there' })
  const state = stateOf(disk)
  if (state.state === 'unknown')
    throw new UnknownFact(node, { fact: `what its disk ${name} holds`, why: state.why })
  return disk
}

/** The part of another disk that an index gets: what the maker is told of it, what the disk has to be, and words for it. Throws UnknownFact. */
function indexOn(db: string, o: { view: View<Config>; facts: Facts; node: WantedNode; fsid: string }) {
  const { name: node } = o.node
  const disk = known(db, { node, facts: o.facts })
  const group = indexGroup({ fsid: o.fsid, node, disk: db })
  const sharing = sharedOn(o.node).find(one => one.db === db)!.disks.length
  const { dbSizeBytes } = o.view.config.osd
  return {
    expected: { name: db, disk, group },
    words: [db, group, dbSizeBytes === undefined ? `/${sharing}` : String(dbSizeBytes)],
    says:
      dbSizeBytes === undefined
        ? sharing === 1
          ? 'all of it'
          : `1/${sharing} of it`
        : `${(dbSizeBytes / 1024 ** 3).toFixed(1)} GiB of it`,
  }
}

/** Throws Failure (9): what `up` may finish is what it began, and what ran once is not made anew on its own. */
function refuseOther(o: { node: string; name: string; disk: Disk; uuid: string; earlier?: KnownOsd }): void {
  const there = osdOn(o.disk)
  const ran = o.earlier !== undefined && !o.earlier.fresh
  if (!ran && (!there || there.uuid === o.uuid)) return
  const text = there ? `holds ${osdText(there)}` : 'is blank'
  throw new Failure(`No OSD is made on ${o.name} of ${o.node}, and nothing was changed on it.`, {
    exit: EXIT.unsafe,
    why: ran
      ? `the monitors know osd.${o.earlier!.id}, which ran on it, and now it ${text} while ${o.node} knows nothing of that OSD`
      : `it ${text}`,
    next: ran
      ? `If its data is gone: ceph osd purge ${o.earlier!.id} --yes-i-really-mean-it on a control node; then wipe the disk, and run \`cluster up\`.`
      : `If all on it may be lost: llmagentos node disk wipe ${o.node} ${o.name}`,
  })
}
