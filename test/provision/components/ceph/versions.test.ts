import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

test('a program that was replaced while it runs is known by its process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lao-outdated-'))
  const old = join(folder, 'ceph-mon')
  copyFileSync('/bin/sleep', old)
  const [gone, there] = [spawn(old, ['60']), spawn('/bin/sleep', ['60'])]
  try {
    await Promise.all([gone, there].map(child => once(child, 'spawn')))
    rmSync(old)
    // As systemd prints units, for this machine may have another process 1.
    const shown = `MainPID=${gone.pid}\nId=ceph-mon@n1.service\n\nMainPID=${there.pid}\nId=ceph-osd@0.service\n\nMainPID=0\nId=ceph-mgr@n1.service\n`
    writeFileSync(join(folder, 'systemctl'), `#!/bin/sh\nprintf '%s' '${shown}'\n`, { mode: 0o755 })
    const env = { PATH: `${folder}:${process.env['PATH']}` }
    expect(outdated.parse(execFileSync('sh', ['-c', outdated.script], { env }).toString())).toEqual([
      'ceph-mon@n1',
    ])
    writeFileSync(join(folder, 'systemctl'), '#!/bin/sh\n')
    expect(outdated.parse(execFileSync('sh', ['-c', outdated.script], { env }).toString())).toEqual([])
  } finally {
    for (const child of [gone, there]) child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
})
