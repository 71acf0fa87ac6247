import type { Fact } from '../../../facts/fact.ts'
import { linesOf } from '../../../facts/fields.ts'
import { APT_ENV, APT_SOURCES } from '../../../os/apt.ts'
import { PACKAGE } from './choose.ts'
import { SOURCES_FILE } from './places.ts'

/** What the node's apt knows of Ceph. */
export interface Archive {
  /** Versions that it could install, and the archive of each. */
  versions: { version: string; url: string }[]
  /** Archives of which it has an index. */
  indexed: string[]
  /** Of its archives, but for ours. */
  hosts: string[]
}

export const archive: Fact<Archive> = {
  id: 'versions of Ceph at hand',
  deadlineMs: 15_000,
  script: `[ ! -e ${APT_ENV} ] || . ${APT_ENV}
apt-cache madison ${PACKAGE} 2>/dev/null | sed -n 's/^[^|]*| *\\([^ |]*\\) *| *\\([^ ]*\\) .* Packages$/version\\t\\1\\t\\2/p'
apt-get indextargets --format 'index\t$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | sort -u
for file in /etc/apt/sources.list /etc/apt/sources.list.d/* ${APT_SOURCES}/*; do
  case $file in */${SOURCES_FILE}) continue ;; *.list | *.sources) [ ! -f "$file" ] || sed -n 's,^[^#]*https\\{0\\,1\\}://\\([^/: ]*\\).*,host\\t\\1,p' "$file" ;; esac
done | sort -u`,
  parse(stdout) {
    const rows = linesOf(stdout).map(line => line.split('\t'))
    const of = (kind: string) => rows.filter(([k]) => k === kind).map(([, ...words]) => words)
    return {
      versions: of('version').map(([version, url]) => ({ version: version!, url: whole(url!) })),
      indexed: of('index').map(([url]) => whole(url!)),
      hosts: of('host').map(([host]) => host!),
    }
  },
}

export const indexed = (found: Archive, url: string) => found.indexed.includes(whole(url))

/** Oldest first, as apt tells them the other way round. */
export const versionsFrom = (found: Archive, url?: string): string[] =>
  found.versions
    .filter(one => url === undefined || one.url === whole(url))
    .map(({ version }) => version)
    .toReversed()

/** As apt knows an archive; empty for files. */
export const hostOf = (url: string) => /^https?:\/\/([^/:]+)/.exec(url)?.[1] ?? ''

/** `file:/srv` and `file:///srv/` are one. */
const whole = (url: string) => url.replace(/^file:\/\//, 'file:').replace(/\/+$/, '')
