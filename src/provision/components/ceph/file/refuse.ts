import { EXIT, Failure } from '../../../../errors.ts'
import type { Facts } from '../../../facts/fact.ts'
import { kept } from '../../../facts/kept.ts'
import type { View } from '../../component.ts'
import type { Config } from '../schema.ts'
import { anyTold } from '../told.ts'
import { looks } from './look.ts'
import { mdsNodes, mdsUnit, mountNodes, mountsOf } from './names.ts'
import { fsIn } from './told.ts'

/** The system's own; a mount over them would take it away from under its programs. */
const OWN = ['bin', 'boot', 'dev', 'etc', 'lib', 'lib64', 'proc', 'root', 'run', 'sbin', 'sys', 'tmp', 'usr']
const KEPT = ['/home', '/opt', '/var', '/var/lib', '/var/log', '/var/lib/ceph', '/var/lib/llmagentos']

/** Throws Failure: 2 for what the file says, 9 for a folder where something is. What is unknown is no reason. */
export function refuseFile(view: View<Config>, facts: Facts): void {
  const { cluster, config } = view
  if (config.file === false) {
    stillWanted(view, facts)
    return
  }
  if (mdsNodes(cluster, config).length === 0)
    throw new Failure('The file system has no node that could serve it.', {
      exit: EXIT.usage,
      why: 'metadata servers run on storage nodes with disks, and there is none',
      next: 'Give storage nodes disks; or take components/ceph/file away.',
    })
  for (const node of mountNodes(cluster, config)) onePlaceEach(node.name, mountsOf(config, node))
  const found = view.nodes.flatMap(node => {
    const answer = facts.peek(node.name, looks(config, node))
    if (!answer.known) return []
    return Object.entries(answer.value).flatMap(([path, look]) =>
      look.state === 'in the way' ? [`${node.name}: ${path}: ${look.why}`] : [],
    )
  })
  if (found.length === 0) return
  throw new Failure('The file system is not mounted where something is, and nothing was changed.', {
    exit: EXIT.unsafe,
    why: found.join('\n'),
    next: 'Move away what is there; or mount it elsewhere (components/ceph/file/mounts).',
  })
}

/** Files do not leave because a line did: without its servers nobody could read them. */
function stillWanted(view: View<Config>, facts: Facts): void {
  const serve = view.nodes.filter(({ name }) => {
    const manifest = facts.peek(name, kept)
    return manifest.known && manifest.value.entries.some(e => e.name === mdsUnit(name))
  })
  const up = anyTold(view, facts)
  if (serve.length === 0 || (up && !fsIn(up.told))) return
  throw new Failure('The file system is no longer in the file, and nothing was changed.', {
    exit: EXIT.unsafe,
    why: `${serve.map(({ name }) => name).join(', ')} serve it, and \`up\` never takes away what keeps data`,
    next: 'Write components/ceph/file: true; what is mounted may leave.',
  })
}

function onePlaceEach(node: string, paths: string[]): void {
  const refused = (says: string, why: string) =>
    new Failure(says, { exit: EXIT.usage, why, next: 'Correct components/ceph/file/mounts.' })
  for (const path of paths) {
    const others = paths.filter(one => one === path || one.startsWith(`${path}/`))
    if (others.length > 1)
      throw refused(
        `${node} would mount the file system twice at ${path}.`,
        `${others.join(' and ')} are one place, or one lies in the other`,
      )
    const [top = ''] = path.slice(1).split('/')
    if (OWN.includes(top) || KEPT.includes(path) || KEPT.slice(-2).some(kept => path.startsWith(`${kept}/`)))
      throw refused(`The file system cannot be mounted at ${path}.`, 'this folder belongs to the system')
  }
}
