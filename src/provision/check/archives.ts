import type { Cluster } from '../cluster/cluster.ts'
import { archives as fact } from '../facts/archive.ts'
import { type Concern, onEach } from './concern.ts'

/** Each archive of packages answers: the mirror of the file, else what the node has. */
export const archives: Concern = {
  name: 'archives',
  probe: true,
  facts: ({ cluster }) => [factOf(cluster)],
  judge: ({ cluster, nodes }, facts) =>
    onEach({ nodes, facts, what: 'whether it reaches its archives of packages' }, factOf(cluster), found => {
      if (found.length === 0)
        return [
          {
            level: 'bad',
            says: 'It has no archive of packages.',
            fix: 'Write one into /etc/apt/sources.list.d there, or site/apt/mirror into the file.',
          },
        ]
      const silent = found.filter(({ error }) => error !== undefined)
      const fix = cluster.site.apt.mirror
        ? 'Correct site/apt/mirror or site/proxy in the file, or open the way to it.'
        : 'Correct /etc/apt/sources.list.d there; or write site/apt/mirror or site/proxy into the file.'
      return silent.length > 0
        ? silent.map(({ uri, error }) => ({
            level: 'bad',
            says: `${uri} does not answer: ${error}.`,
            // As apt says it of the archive's host, or of the proxy's.
            fix: /resolv/i.test(error ?? '')
              ? 'Mend DNS there: cat /etc/resolv.conf; getent hosts NAME. Or correct the name in the file (site/apt/mirror, site/proxy).'
              : fix,
          }))
        : [{ level: 'ok', says: `It reaches ${hosts(found.map(({ uri }) => uri))}.` }]
    }),
}

function factOf({ site }: Cluster) {
  const { mirror } = site.apt
  return fact({ ...(mirror && { mirror }), ...(site.proxy && { proxy: site.proxy.url }) })
}

const hosts = (uris: string[]) =>
  [...new Set(uris.map(uri => /^[a-z+]+:\/\/([^/]+)/.exec(uri)?.[1] ?? uri))].join(', ')
