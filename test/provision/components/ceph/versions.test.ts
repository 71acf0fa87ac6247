import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { Told } from '../../../../src/provision/components/ceph/told.ts'
import { outdated, versionFindings } from '../../../../src/provision/components/ceph/versions.ts'
import { told as facts, viewOf } from './site.ts'

const WAITS = 'daemons of Ceph that wait for a restart'
const full = (version: string, name: string) => `ceph version ${version} (0123abcd) ${name} (stable)`
const told = (versions: Told['versions']) => ({ versions }) as Told

test('versions that run together are told with how many daemons of each kind have them', () => {
  const [old, next] = [full('18.2.7', 'reef'), full('20.2.5', 'tentacle')]
  const versions = { mon: { [old]: 1, [next]: 2 }, osd: { [old]: 3 }, overall: { [old]: 4, [next]: 2 } }
  const found = versionFindings(viewOf(''), facts('trixie', { [WAITS]: '' }), told(versions))
  expect(found).toMatchObject([
    { level: 'warn', says: 'Daemons of several versions run: 18.2.7 (1 mon, 3 osd), 20.2.5 (2 mon).' },
  ])
})

test('a node on which daemons run what is no longer installed is named, and one that does not tell is unknown', () => {
  const packages = 'installed\thold\tok\t20.2.5-1bookworm\tceph-common\n'
  const at = (printed: Record<string, string>) =>
    versionFindings(
      viewOf(''),
      facts('bookworm', {}, { n1: printed, n2: { [WAITS]: '' }, n3: { [WAITS]: '' } }),
      told({}),
    )
  expect(at({ packages, [WAITS]: 'ceph-mon@n1\nceph-osd@0\n' })).toMatchObject([
    {
      level: 'warn',
      node: 'n1',
      says: 'Ceph 20.2.5 is installed, and ceph-mon@n1, ceph-osd@0 still run what was there before.',
    },
  ])
  expect(at({ packages })).toMatchObject([{ level: 'unknown', node: 'n1' }])
})

test('a machine without a daemon of Ceph has none that waits', () => {
  const printed = execFileSync('sh', ['-c', outdated.script], { stdio: ['ignore', 'pipe', 'ignore'] })
  expect(outdated.parse(printed.toString())).toEqual([])
})
