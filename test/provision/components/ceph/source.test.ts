import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ceph } from '../../../../src/provision/components/ceph/index.ts'
import type { Config } from '../../../../src/provision/components/ceph/schema.ts'
import { sourceOf } from '../../../../src/provision/components/ceph/source/choose.ts'
import { archive } from '../../../../src/provision/components/ceph/source/fact.ts'
import { sourceItems } from '../../../../src/provision/components/ceph/source/items.ts'
import { PREFERENCES } from '../../../../src/provision/components/ceph/source/places.ts'
import type { View } from '../../../../src/provision/components/component.ts'
import type { Facts } from '../../../../src/provision/facts/fact.ts'
import { refusal, told, viewOf } from './site.ts'

const MIRROR = 'source: {mirror: "http://mirror.example.org/debian-squid"}'
const installed = (version: string) => ({ packages: `installed\thold\tok\t${version}\tceph-common\n` })
const ours = { kept: `kept\tceph\tfile\t${PREFERENCES}\t\n` }
const atHand = (version: string, url = 'http://mirror.example.org/debian-squid') => ({
  'versions of Ceph at hand': `version\t${version}\t${url}\nindex\t${url}/\nhost\tdeb.debian.org\n`,
})
const chosen = (view: View<Config>, facts: Facts) => sourceOf(view, view.nodes[0]!, facts)

describe('where nothing is said', () => {
  test('a new cluster has packages of the Ceph project where it makes them, and else those of the suite', () => {
    expect(chosen(viewOf(''), told('bookworm'))).toMatchObject({
      kind: 'upstream',
      url: 'https://download.ceph.com/debian-tentacle',
      release: { major: 20 },
    })
    expect(chosen(viewOf(''), told('trixie'))).toEqual({ kind: 'distro' })
  })

  test('what is installed stays, whoever made it, and also a node that is new takes it', () => {
    const one = (also: Record<string, string>) => told('bookworm', {}, { n3: also })
    expect(chosen(viewOf(''), one(installed('16.2.15+ds-0+deb12u2')))).toEqual({ kind: 'distro' })
    expect(chosen(viewOf(''), one({ ...installed('19.2.7-1bookworm'), ...ours }))).toMatchObject({
      kind: 'upstream',
      release: { name: 'squid' },
    })
    expect(refusal(viewOf(''), one(installed('16.2.15+ds-0+deb12u2')))).toBeUndefined()
  })
})

describe('before anything is changed', () => {
  test.each([
    ['a release that the Ceph project does not make for the suite', 'source: upstream', 'trixie', {}, 2],
    ['one that the suite does not have', 'source: distro\nrelease: tentacle', 'bookworm', {}, 2],
    [
      'a mirror of which nobody says the release',
      'source: {mirror: "https://mirror.example.org/ceph"}',
      'trixie',
      {},
      2,
    ],
    ['another maker than of what is installed', 'source: upstream', 'bookworm', installed('16.2.15+ds-0'), 9],
    [
      'the suite in place of another source',
      'source: distro',
      'bookworm',
      { ...installed('19.2.7-1'), ...ours },
      9,
    ],
    [
      'another release than is installed',
      'source: upstream\nrelease: tentacle',
      'bookworm',
      { ...installed('19.2.7-1'), ...ours },
      9,
    ],
    ['a mirror with another release than its name says', MIRROR, 'bookworm', atHand('20.2.5-1bookworm'), 9],
    [
      'a mirror without packages for the node',
      MIRROR,
      'bookworm',
      { 'versions of Ceph at hand': 'index\thttp://mirror.example.org/debian-squid/\n' },
      9,
    ],
  ] as const)('%s is refused', (_, settings, suite, also, exit) => {
    expect(refusal(viewOf(settings), told(suite, also))).toMatchObject({ exit })
  })

  test.each([
    [
      'the release that the Ceph project makes for the suite',
      'source: upstream\nrelease: reef',
      'bookworm',
      {},
    ],
    ['another mirror of the same release', MIRROR, 'bookworm', { ...installed('19.2.7-1'), ...ours }],
    ['the release that the suite has', 'source: distro\nrelease: reef', 'trixie', {}],
    ['a mirror that has what its name says', MIRROR, 'bookworm', atHand('19.2.7-1bookworm')],
  ] as const)('%s is taken', (_, settings, suite, also) => {
    expect(refusal(viewOf(settings), told(suite, also))).toBeUndefined()
  })

  test('a release without fixes wants a word in the file, from any source', () => {
    const view = viewOf('source: upstream\nrelease: reef')
    const strict = { ...view, config: { ...view.config, allowEndOfLife: false } }
    expect(refusal(strict, told('bookworm'))).toMatchObject({
      exit: 2,
      message: 'The nodes would have Ceph 18 (reef), which gets no more fixes.',
    })
  })
})

describe('what apt is told', () => {
  const text = (view: View<Config>, facts: Facts, file: string) =>
    sourceItems(view, facts, view.nodes[0]!).find(({ path }) => path.includes(file))!.text

  test('Ceph comes from there alone, and nothing else does', () => {
    const said = text(viewOf(MIRROR), told('bookworm', atHand('19.2.7')), 'preferences.d')
    expect(said).toContain('Package: src:ceph\nPin: origin "mirror.example.org"\nPin-Priority: 1001\n')
    expect(said).toContain('Package: *\nPin: origin "mirror.example.org"\nPin-Priority: -1\n')
  })

  test('another archive on the same host stays as it is', () => {
    const shared = { 'versions of Ceph at hand': 'host\tmirror.example.org\n' }
    expect(text(viewOf(MIRROR), told('bookworm', shared), 'preferences.d')).not.toContain('Package: *')
    const files = viewOf('source: {mirror: "file:///srv/debian-squid"}')
    expect(text(files, told('bookworm'), 'preferences.d')).not.toContain('Package: *')
  })

  test("the suite is the node's, the key is Ceph's own or that of the file, and the site's mirror has ours beside it", () => {
    const view = viewOf(MIRROR)
    const facts = told('bookworm')
    expect(text(view, facts, 'sources.list.d')).toContain(
      'URIs: http://mirror.example.org/debian-squid\nSuites: bookworm\nComponents: main\nSigned-By: /etc/apt/keyrings/llmagentos-ceph.asc\n',
    )
    expect(fingerprint(String(text(view, facts, 'keyrings')))).toBe(
      '08B73419AC32B4E966C1A330E84AC2C0460F3994',
    )
    const own = viewOf('source: {mirror: "http://m/debian-squid", key: /usr/share/keyrings/ours.gpg}')
    expect(sourceItems(own, facts, own.nodes[0]!)).toHaveLength(2)
    expect(text(own, facts, 'sources.list.d')).toContain('Signed-By: /usr/share/keyrings/ours.gpg\n')
    const site = viewOf(MIRROR, { more: 'site: {apt: {mirror: "http://mirror.example.org/debian"}}\n' })
    expect(text(site, facts, '/etc/llmagentos/apt-sources/')).toContain('debian-squid')
  })
})

test('apt reads the source before anything else is planned, and packages follow', () => {
  const says = (facts: Facts) =>
    ceph
      .plan(viewOf(MIRROR), facts)
      .flatMap(({ steps }) => steps.flatMap(({ node, says }) => (node === 'n1' ? [says] : [])))
  const before = says(told('bookworm'))
  expect(before.at(-1)).toBe(
    'fetch the index of http://mirror.example.org/debian-squid, and check who signed it',
  )
  expect(before).toHaveLength(4)
  const keptThree = told('bookworm', atHand('19.2.7-1bookworm'))
  expect(says(keptThree).join('\n')).toContain(
    'Ceph 19.2.7 (squid), packages of Ceph from http://mirror.example.org/debian-squid, end of life since',
  )
})

test('priorities of a source that was given up before anything came from it go first', () => {
  const facts = told('trixie', { kept: `${ours.kept}kept\tceph\tfile\t/etc/ceph/ceph.conf\t\n` })
  const steps = ceph.plan(viewOf('source: distro'), facts).flatMap(wave => wave.steps)
  expect(steps.map(({ node, says }) => `${node} ${says}`)).toEqual(
    ['n1', 'n2', 'n3'].map(name => `${name} remove ${PREFERENCES}: it is no longer needed`),
  )
})

test('what apt knows of Ceph', () => {
  const url = 'https://mirror.example.org/debian-squid'
  expect(archive.parse(`version\t19.2.7\t${url}\nindex\t${url}/\nhost\tdeb.debian.org\n`)).toEqual({
    versions: [{ version: '19.2.7', url }],
    indexed: [url],
    hosts: ['deb.debian.org'],
  })
})

/** Of a public key: version 4, whose packet has a length of two bytes. */
function fingerprint(armoured: string): string {
  const [, body = ''] = /\n\n([A-Za-z0-9+/=\n]+)\n=/.exec(armoured) ?? []
  const bytes = Buffer.from(body, 'base64')
  expect(bytes[0]).toBe(0x99)
  const packet = bytes.subarray(0, 3 + bytes.readUInt16BE(1))
  return createHash('sha1').update(packet).digest('hex').toUpperCase()
}
