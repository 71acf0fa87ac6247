import { EXIT, Failure } from '../../../../errors.ts'
import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Facts } from '../../../facts/fact.ts'
import { os } from '../../../facts/os.ts'
import type { View } from '../../component.ts'
import { RELEASES, releaseOf } from '../releases.ts'
import type { Config } from '../schema.ts'
import { versionOf } from '../sources.ts'
import { installedOn, PACKAGE, type Source, sourceOf } from './choose.ts'
import { archive, indexed, versionsFrom } from './fact.ts'
import { saysOf } from './items.ts'

/** Throws Failure: 2 for packages that nobody makes, 9 for others than those that are installed, or than the file names. */
export function refuseSource(view: View<Config>, facts: Facts): void {
  for (const node of view.nodes) {
    const source = sourceOf(view, node, facts)
    named(source)
    stays(view, { node, facts, source })
    made(view, { node, facts, source })
    asNamed({ node, facts, source })
  }
}

interface On {
  node: WantedNode
  facts: Facts
  source: Source
}

function named(source: Source): void {
  if (source.kind !== 'mirror' || source.release) return
  throw new Failure(`Nothing says which release of Ceph ${source.url} has.`, {
    exit: EXIT.usage,
    why: 'what may be done with a release is known before its packages are',
    next: `Write components/ceph/release: one of ${RELEASES.map(({ name }) => name).join(', ')}.`,
  })
}

/** Going from one release, or maker, to another wants an order of its own: monitors first, one by one. */
function stays({ config }: View<Config>, { node, facts, source }: On): void {
  const installed = installedOn(node, facts)
  if (!installed) return
  const has = releaseOf(installed.version)
  const by = installed.by === 'distro' ? 'distro' : 'other'
  const wanted = source.kind === 'distro' ? 'distro' : 'other'
  const release = config.release ?? (source.kind === 'distro' ? has?.name : source.release?.name)
  if (by === wanted && release === has?.name) return
  const from = installed.by === 'distro' ? "the node's suite" : 'another source'
  throw new Failure(
    `${node.name} has Ceph ${installed.version}${has ? ` (${has.name})` : ''} of ${from}, and the file wants ${release ?? ''} from ${saysOf(source)}.`,
    {
      exit: EXIT.unsafe,
      why: 'a Ceph that runs is upgraded in an order of its own, which this version does not have; nothing was changed',
      next: `Write components/ceph/source and release as they are installed, or leave them out.`,
    },
  )
}

function made(view: View<Config>, { node, facts, source }: On): void {
  const system = facts.peek(node.name, os)
  if (!system.known || installedOn(node, facts)) return
  const { codename, says } = system.value
  if (source.kind === 'distro') {
    const version = versionOf(view, node, facts)
    const has = version && releaseOf(version)
    if (!view.config.release || !has || has.name === view.config.release) return
    throw new Failure(
      `${says} on ${node.name} has Ceph ${version} (${has.name}), and no ${view.config.release}.`,
      {
        exit: EXIT.usage,
        why: 'components/ceph/release names another one',
        next: 'Leave release out; or write source: upstream, or a mirror that has it.',
      },
    )
  }
  if (source.kind !== 'upstream' || source.release!.suites?.includes(codename)) return
  const others = RELEASES.filter(({ suites }) => suites?.includes(codename)).map(({ name }) => name)
  throw new Failure(
    `The Ceph project makes no packages of ${source.release!.name} for ${says} (${node.name}), as far as this version knows.`,
    {
      exit: EXIT.usage,
      why:
        others.length > 0
          ? `for ${codename} it makes ${others.join(', ')}`
          : `for ${codename} it makes none; nothing was changed`,
      next: `Write components/ceph/source: distro${others.length > 0 ? `, or release: ${others.at(-1)}` : ''}; or a mirror that has it: {mirror: URL}.`,
    },
  )
}

/** Known once its index was fetched. */
function asNamed({ node, facts, source }: On): void {
  const atHand = facts.peek(node.name, archive)
  if (source.kind === 'distro' || installedOn(node, facts) || !atHand.known) return
  if (!indexed(atHand.value, source.url)) return
  const version = versionsFrom(atHand.value, source.url).at(-1)
  if (version && releaseOf(version) === source.release) return
  throw new Failure(
    version
      ? `${source.url} has Ceph ${version}, and not ${source.release!.name}.`
      : `${source.url} has no package ${PACKAGE} for ${node.name}.`,
    {
      exit: EXIT.unsafe,
      why: 'none of its packages was installed',
      next: 'Correct components/ceph/source or release.',
    },
  )
}
