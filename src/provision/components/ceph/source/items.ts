import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Facts } from '../../../facts/fact.ts'
import { os } from '../../../facts/os.ts'
import { APT_SOURCES, fetchIndex } from '../../../os/apt.ts'
import type { FileItem } from '../../../os/item.ts'
import { fill } from '../../../os/template.ts'
import { type Step, step } from '../../../reconcile/step.ts'
import type { View } from '../../component.ts'
import type { Config } from '../schema.ts'
import { installedOn, type Source, sourceOf } from './choose.ts'
import { archive, hostOf, indexed } from './fact.ts'
import { KEY_FILE, PREFERENCES, SOURCES_FILE } from './places.ts'

const INDEX_MS = 15 * 60_000
const FILE = { kind: 'file', mode: 0o644, owner: 'root:root' } as const

/** Key, source and priorities of apt; none for the packages of the suite. Throws UnknownFact. */
export function sourceItems(view: View<Config>, facts: Facts, node: WantedNode): FileItem[] {
  const source = sourceOf(view, node, facts)
  if (source.kind === 'distro') return []
  return [
    ...(source.key === KEY_FILE
      ? [{ ...FILE, path: KEY_FILE, text: keyOf(view.config), says: 'who signs the packages of Ceph' }]
      : []),
    {
      ...FILE,
      path: PREFERENCES,
      text: preferences(source.url, facts.get(node.name, archive).hosts),
      says: 'Ceph comes from one place alone',
    },
    {
      ...FILE,
      path: sourcesFile(view),
      text: fill('ceph/packages.sources', {
        url: source.url,
        suite: facts.get(node.name, os).codename,
        key: source.key,
      }),
      says: saysOf(source),
    },
  ]
}

/** What stands before the packages: apt must have read the source, so that a wrong signature is told before anything is installed. */
export function indexStep(view: View<Config>, facts: Facts, node: WantedNode): Step | undefined {
  const source = sourceOf(view, node, facts)
  if (source.kind === 'distro' || installedOn(node, facts)) return undefined
  if (indexed(facts.get(node.name, archive), source.url)) return undefined
  return step({
    node: node.name,
    says: `fetch the index of ${source.url}, and check who signed it`,
    risk: 'add',
    deadlineMs: INDEX_MS,
    act: fetchIndex(sourcesFile(view)),
  })
}

/** It takes away a file that these items no longer name. */
export const isOfSource = ({ act }: Step) =>
  act.do === 'remove' &&
  (act.path === KEY_FILE || act.path === PREFERENCES || act.path.endsWith(`/${SOURCES_FILE}`))

export const saysOf = (source: Source) =>
  source.kind === 'upstream'
    ? `packages of the Ceph project, ${source.release!.name}`
    : source.kind === 'mirror'
      ? `packages of Ceph from ${source.url}`
      : "packages of the node's suite"

/** What we install has the site's sources where there are some, and the machine's own apt does not see ours then. */
const sourcesFile = ({ cluster }: View<Config>) =>
  `${cluster.site.apt.mirror ? APT_SOURCES : '/etc/apt/sources.list.d'}/${SOURCES_FILE}`

function keyOf({ source }: Config): string {
  const own = typeof source === 'object' ? source.key : undefined
  return own === undefined ? fill('ceph/release.asc', {}) : `${own.trimEnd()}\n`
}

/** Apt knows an archive by its host. Where another one has the same, only Ceph's own packages can be told apart. */
function preferences(url: string, others: string[]): string {
  const host = hostOf(url)
  const alone = host !== '' && !others.includes(host)
  return fill('ceph/packages.pref', {
    host,
    others: { lines: alone ? ['', 'Package: *', `Pin: origin "${host}"`, 'Pin-Priority: -1'] : [] },
  })
}
