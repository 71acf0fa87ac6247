import type { WantedNode } from '../../cluster/cluster.ts'
import { quote } from '../../connections/quote.ts'
import type { Facts } from '../../facts/fact.ts'
import { os } from '../../facts/os.ts'
import { APT_CONF, APT_ENV, APT_SOURCES } from '../../os/apt.ts'
import type { Item } from '../../os/item.ts'
import type { View } from '../component.ts'

/** The site's proxy and mirror for what we install. The machine's own apt stays as it is. */
export function aptItems(view: View<unknown>, facts: Facts, node: WantedNode): Item[] {
  const { proxy, apt } = view.cluster.site
  if (!proxy && !apt.mirror) return []
  const file = { kind: 'file', mode: 0o644, owner: 'root:root' } as const
  const environment = [
    ['APT_CONFIG', APT_CONF],
    ...(proxy && proxy.except.length > 0 ? [['no_proxy', proxy.except.join(',')]] : []),
  ]
  return [
    ...(apt.mirror
      ? [
          {
            ...file,
            path: `${APT_SOURCES}/llmagentos.sources`,
            text: sources(apt.mirror, facts.get(node.name, os)),
            says: "the site's mirror",
          },
        ]
      : []),
    {
      ...file,
      path: APT_CONF,
      text: linesOf([...(proxy ? throughProxy(proxy.url) : []), ...(apt.mirror ? FROM_MIRROR : [])]),
      says: 'the way to packages',
    },
    {
      ...file,
      path: APT_ENV,
      text: linesOf(environment.map(([name, value]) => `export ${name}=${quote([value!])}`)),
      says: 'what our calls of apt read',
    },
  ]
}

const linesOf = (lines: string[]) => lines.map(line => `${line}\n`).join('')

const throughProxy = (url: string) =>
  ['http', 'https'].map(scheme => `Acquire::${scheme}::Proxy "${url.replace(/["\\]/g, encodeURIComponent)}";`)

// With an index of its own, so that it and the machine's do not push each other out.
const FROM_MIRROR = [
  'Dir::Etc::sourcelist "/dev/null";',
  `Dir::Etc::sourceparts "${APT_SOURCES}";`,
  'Dir::State::lists "/var/lib/llmagentos/apt/lists";',
  'Dir::Cache::pkgcache "";',
  'Dir::Cache::srcpkgcache "";',
]

/** Mirrors of Debian keep security updates beside the archive; where one does not, the rest is used. */
function sources(mirror: string, { id, codename }: { id: string; codename: string }): string {
  const ubuntu = id === 'ubuntu'
  const stanza = (uri: string, suites: string[]) => `Types: deb
URIs: ${uri}
Suites: ${suites.join(' ')}
Components: ${ubuntu ? 'main universe' : 'main'}
Signed-By: /usr/share/keyrings/${ubuntu ? 'ubuntu' : 'debian'}-archive-keyring.gpg
`
  const main = stanza(mirror, [codename, `${codename}-updates`, ...(ubuntu ? [`${codename}-security`] : [])])
  const security = mirror.replace(/\/debian\/?$/, '/debian-security')
  return security === mirror ? main : `${main}\n${stanza(security, [`${codename}-security`])}`
}
