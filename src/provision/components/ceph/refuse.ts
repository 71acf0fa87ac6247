import { EXIT, Failure } from '../../../errors.ts'
import type { Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import type { View } from '../component.ts'
import { refuseFile } from './file/refuse.ts'
import { COMPONENT, CONF, heldMon, isDaemonNode, isMon, monNodes, placed, storageNodes } from './names.ts'
import { refuseDisks } from './osds/refuse.ts'
import type { Config } from './schema.ts'
import { refuseSource } from './source/refuse.ts'
import { releaseOn, versionOf } from './sources.ts'
import { stores } from './stores.ts'
import type { Told } from './told.ts'

/** Throws Failure: 2 for what the file has to say first, 9 for what cannot become one cluster. */
export function refuse(view: View<Config>, facts: Facts): void {
  enoughStorage(view)
  noVoteLost(view, facts)
  foreign(view, facts)
  refuseSource(view, facts)
  oneRelease(view, facts)
  maintained(view, facts)
  whole(view, facts)
  refuseDisks(view, facts)
  refuseFile(view, facts)
}

function enoughStorage({ cluster, config }: View<Config>): void {
  const nodes = storageNodes(cluster).map(node => node.name)
  if (nodes.length >= 3 || config.allowUnsafe) return
  throw new Failure(
    `Ceph would keep its data on ${nodes.length} nodes${nodes.length ? `: ${nodes.join(', ')}` : ''}.`,
    {
      exit: EXIT.usage,
      why: 'it keeps three copies, each on a node of its own; with fewer nodes one that goes takes data or service with it',
      next: 'Give three nodes the role storage; or write components/ceph/allowUnsafe: true.',
    },
  )
}

/** A node that is no control node any more has a monitor until its own verb took it away. */
function noVoteLost({ nodes }: View<Config>, facts: Facts): void {
  const still = nodes.find(node => {
    const manifest = facts.peek(node.name, kept)
    if (isMon(node) || !manifest.known) return false
    return manifest.value.entries.some(e => e.component === COMPONENT && e.name === heldMon(node.name).name)
  })
  if (!still) return
  throw new Failure(
    `${still.name} is no longer a control node, and has a monitor of Ceph; nothing was changed.`,
    {
      exit: EXIT.unsafe,
      why: 'it has a vote, and `up` never takes one away',
      next: `Give it the role control again; or, if it is to leave: llmagentos node demote ${still.name}`,
    },
  )
}

/** Of daemons; who only mounts, or uses block devices, may come with another one. */
function oneRelease(view: View<Config>, facts: Facts): void {
  const told = view.nodes.filter(isDaemonNode).flatMap(node => {
    const [release, version] = [releaseOn(view, node, facts), versionOf(view, node, facts)]
    return release ? [{ node: node.name, release, version }] : []
  })
  const majors = told.map(({ release }) => release.major)
  if (new Set(majors).size < 2) return
  throw new Failure(
    'Daemons of different releases of Ceph do not make a new cluster, and nothing was changed.',
    {
      exit: EXIT.unsafe,
      why: told
        .map(({ node, release, version }) => `${node} would have ${[release.name, version].join(' ').trim()}`)
        .join(', '),
      next: 'Bring the nodes to one release of Debian.',
    },
  )
}

function maintained(view: View<Config>, facts: Facts): void {
  const { cluster, config, nodes } = view
  if (config.allowEndOfLife) return
  const old = nodes.flatMap(node => {
    const release = releaseOn(view, node, facts)
    return release?.ended ? [{ node: node.name, release }] : []
  })
  const first = old[0]
  if (!first) return
  const { name, major, ended } = first.release
  const all =
    old.length === placed(cluster, config).length ? 'The nodes' : old.map(({ node }) => node).join(', ')
  throw new Failure(`${all} would have Ceph ${major} (${name}), which gets no more fixes.`, {
    exit: EXIT.usage,
    why: `its makers ended it on ${ended}; Debian mends security holes of it, as far as it does`,
    next: 'Write components/ceph/allowEndOfLife: true, to have it all the same.',
  })
}

/** Nothing of a cluster that is not ours is taken over, whoever left it there. */
function foreign({ nodes }: View<Config>, facts: Facts): void {
  for (const { name } of nodes) {
    const [there, manifest] = [facts.peek(name, stores), facts.peek(name, kept)]
    if (!there.known || !manifest.known) continue
    const ours = new Set(manifest.value.entries.filter(e => e.component === COMPONENT).map(e => e.name))
    const { fsid, mons, cephadm } = there.value
    const odd = [
      ...(fsid && !ours.has(CONF) ? [`${CONF} of the cluster ${fsid}`] : []),
      ...mons
        .filter(mon => !ours.has(heldMon(mon).name))
        .map(mon => `the store of a monitor, ${heldMon(mon).name}`),
      ...cephadm.map(one => `a cluster that cephadm made, /var/lib/ceph/${one}`),
    ]
    if (odd.length === 0) continue
    throw new Failure(`${name} has Ceph that is not of this cluster, and nothing was changed.`, {
      exit: EXIT.unsafe,
      why: odd.join('\n'),
      next: `Take it off ${name}, if nobody needs it; or let ${name} be neither control nor storage.`,
    })
  }
}

/** The mons that answer have another fsid than the secret of this cluster: never adopted. */
export function refuseForeign(fsid: string, { node, told }: { node: string; told: Told }): void {
  if (told.mons.fsid === fsid) return
  throw new Failure(`The monitors that ${node} reaches are of another cluster, and nothing was changed.`, {
    exit: EXIT.unsafe,
    why: `theirs is ${told.mons.fsid}, and this cluster is ${fsid}`,
    next: `Look at ${CONF} and at the addresses of the control nodes.`,
  })
}

/** A new cluster begins when all its control nodes are here: one that is away may have it already. */
function whole(view: View<Config>, facts: Facts): void {
  const away = monNodes(view.cluster).filter(node => !view.nodes.includes(node))
  const some = view.nodes.filter(isMon).some(({ name }) => {
    const answer = facts.peek(name, stores)
    return !answer.known || answer.value.mons.length > 0
  })
  if (away.length === 0 || some || view.nodes.length === 0) return
  const names = away.map(node => node.name).join(', ')
  throw new Failure(`Ceph cannot begin without ${names}.`, {
    exit: EXIT.unreachable,
    why: 'a control node that takes no part may have its monitors already; nothing was changed',
    next: `Let ${names} take part: without \`state: offline\` and \`--on\`.`,
  })
}
