import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { base } from '../../src/provision/components/base/index.ts'
import type { Component } from '../../src/provision/components/component.ts'
import { APT_LOCKED, install } from '../../src/provision/os/apt.ts'
import { itemWaves } from '../../src/provision/os/index.ts'
import type { Item } from '../../src/provision/os/item.ts'
import { inputLines } from '../../src/provision/os/unit.ts'
import { step } from '../../src/provision/reconcile/step.ts'
import { Site } from './base/site.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

describe.each(SUITES)('what is kept on a node of %s', suite => {
  let lab: Lab
  let site: Site
  let node: LabNode
  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: `items-${suite}`, suite, flavour: 'bare', nodes: 1 })
    site = new Site(lab)
    node = lab.nodes[0]!
  })
  afterAll(async () => {
    await site?.close()
    await lab?.close()
  })

  test('a unit edited by hand is put back and started again, with new inputs it is restarted, and it leaves with its user', async () => {
    expect(await site.up(wanting(service('a')))).toMatchObject({ failed: [] })
    const pid = () => node.run('systemctl show -p MainPID --value story.service')
    const first = await pid()
    expect(await site.plan(wanting(service('a')))).toEqual([])
    await node.run(`sed -i s/infinity/1000000/ ${UNIT} && systemctl daemon-reload && systemctl restart story`)
    expect(says(await site.plan(wanting(service('a'))))).toEqual([
      `put back ${UNIT}: edited by hand (the story)`,
      'restart story.service: its unit changed',
    ])
    await site.up(wanting(service('a')))
    const second = await pid()
    expect(second).not.toBe(first)
    expect(await node.run('systemctl show -p ExecStart story.service')).toContain('infinity')
    expect(await site.plan(wanting(service('a')))).toEqual([])

    const { did } = await site.up(wanting(service('b')))
    expect(did.map(step => [step.says, step.risk])).toEqual([
      [`change ${UNIT}: the story`, 'change'],
      ['restart story.service: its settings changed', 'restart'],
    ])
    await node.run('systemctl disable --now --quiet story')
    expect(says(await site.plan(wanting(service('b'))))).toEqual([
      'start story.service: it is inactive (the story)',
    ])
    await site.up(wanting(service('b')))
    expect((await node.run('systemctl is-enabled story; systemctl is-active story')).split('\n')).toEqual([
      'enabled',
      'active',
      '',
    ])

    const gone = await site.up(wanting([]))
    expect(gone).toMatchObject({ failed: [] })
    expect(await node.run(`ls ${UNIT} /etc/passwd 2>&1 | wc -l; grep -c ^story: /etc/passwd || :`)).toBe(
      '2\n0\n',
    )
    expect(await node.run('systemctl show -p LoadState --value story.service')).toBe('not-found\n')
    expect(await site.plan(wanting([]))).toEqual([])
  })

  test('a package waits for apt, is installed without starting its service, is held, and leaves again', async () => {
    await node.run(holdLocks(8))
    expect(await node.run('systemctl is-active holder')).toBe('active\n')
    expect(await site.up(wanting(cron))).toMatchObject({ failed: [] })
    expect(await node.run('systemctl is-active holder cron || :')).toBe('inactive\ninactive\n')
    expect(await node.run('apt-mark showhold')).toBe('cron\n')
    expect(await node.run('ls /usr/sbin/policy-rc.d 2>&1 || :')).toContain('No such file')
    expect(await node.run('apt-config dump Unattended-Upgrade::Package-Blacklist')).toContain('"^cron$"')
    expect(await site.plan(wanting(cron))).toEqual([])
    await node.run('apt-mark -q unhold cron')
    expect(says(await site.plan(wanting(cron)))).toEqual(['hold cron: a package with a service'])
    await site.up(wanting(cron))

    expect(await site.up(wanting([]))).toMatchObject({ failed: [] })
    expect(await node.run('apt-mark showhold')).toBe('')
    expect(await statusOf('cron')).toBe('config-files')
    expect(await site.plan(wanting([]))).toEqual([])
  })

  test('apt that stays in use is told, with who uses it', async () => {
    await node.run(holdLocks(60))
    const act = install(['cron'], { held: false, lockWaitS: 2 })
    const { failed } = await site.apply([
      step({ node: 'n1', says: 'install cron', risk: 'add', deadlineMs: 60_000, act }),
    ])
    await node.run('systemctl stop holder')
    expect(failed).toMatchObject([{ code: APT_LOCKED, stderr: expect.stringContaining('apt is in use') }])
    expect(failed[0]!.stderr).toMatch(/process \d+/)
  })

  test('a dpkg that was interrupted is repaired before ours is installed', async () => {
    await node.run(HALFWAY)
    expect(await statusOf('halfway')).toBe('half-configured')
    const { failed, did } = await site.up(wanting(cron))
    expect(failed).toEqual([])
    expect(says(did)).toContain(
      'install cron: a package with a service, after finishing what dpkg was interrupted in (halfway)',
    )
    expect([await statusOf('halfway'), await statusOf('cron')]).toEqual(['installed', 'installed'])
    await site.up(wanting([]))
  })

  test('an installation that is killed half way leaves nothing that would stop others, and the next one goes on', async () => {
    await node.run(SLOW)
    const running = site.up(wanting(slow))
    await expect.poll(() => statusOf('slow'), { timeout: 120_000 }).toBe('half-configured')
    await node.run("systemctl kill --signal=KILL 'llmagentos-step-*'")
    expect((await running).failed).toHaveLength(1)
    await node.run('! test -x /usr/sbin/policy-rc.d; touch /srv/go')
    expect(await site.up(wanting(slow))).toMatchObject({ failed: [] })
    expect(await node.run('ls /usr/sbin/policy-rc.d 2>&1 || :')).toContain('No such file')
    expect(await node.run('dpkg --audit')).toBe('')
  })

  test('a package on which others depend stays, and they are named', async () => {
    await node.run(debOf('needy', { depends: 'slow', postinst: ':' }))
    await node.run('dpkg -i /srv/repo/needy.deb')
    const { failed } = await site.up(wanting([]))
    expect(failed).toMatchObject([{ stderr: expect.stringMatching(/not ours: needy$/) }])
    await node.run('dpkg -r needy')
    expect(await site.up(wanting([]))).toMatchObject({ failed: [] })
    expect(await site.plan(wanting([]))).toEqual([])
  })

  const statusOf = (name: string) => node.run(`dpkg-query -W -f '\${db:Status-Status}' ${name} || :`)
})

/** Component base, and one that keeps these items. */
function wanting(items: Item[]) {
  const story: Component = {
    ...base,
    name: 'story',
    facts: () => [],
    items: () => items,
    plan: (view, facts) => itemWaves(story, view, facts),
    judge: () => [],
  }
  return { components: [base, story] }
}

const UNIT = '/etc/systemd/system/story.service'
const service = (inputs: string): Item[] => [
  { kind: 'user', name: 'story', home: '/var/lib/story', says: 'runs the story' },
  {
    kind: 'file',
    path: UNIT,
    text: `[Service]\nUser=story\nExecStart=/bin/sleep infinity\n${inputLines(inputs, { process: true })}[Install]\nWantedBy=multi-user.target\n`,
    mode: 0o644,
    owner: 'root:root',
    says: 'the story',
  },
  { kind: 'unit', name: 'story.service', says: 'the story', inputs },
]

const cron: Item[] = [{ kind: 'package', names: ['cron'], held: true, says: 'a package with a service' }]

const slow: Item[] = [{ kind: 'package', names: ['slow'], held: true, says: 'takes its time' }]

const debOf = (name: string, o: { depends?: string; postinst: string }) => `set -e
mkdir -p /srv/repo /srv/${name}/DEBIAN
printf '%s\\n' 'Package: ${name}' 'Version: 1' 'Architecture: all' 'Maintainer: story <story@example.org>' 'Depends: ${o.depends ?? 'base-files'}' 'Description: story' >/srv/${name}/DEBIAN/control
printf '%s\\n' '#!/bin/sh' '${o.postinst}' >/srv/${name}/DEBIAN/postinst
chmod 755 /srv/${name}/DEBIAN/postinst
dpkg-deb -b /srv/${name} /srv/repo/${name}.deb >/dev/null`

// The script fails once: half configured, until somebody goes on.
const HALFWAY = `${debOf('halfway', { postinst: '[ -e /srv/once ] || { touch /srv/once; exit 1; }' })}
dpkg -i /srv/repo/halfway.deb >/dev/null 2>&1 || :`

// In a source that apt has not read yet.
const SLOW = `${debOf('slow', { postinst: 'until [ -e /srv/go ]; do sleep 0.1; done' })}
cd /srv/repo
{ dpkg-deb -f slow.deb; echo Filename: ./slow.deb; echo Size: $(stat -c %s slow.deb); echo SHA256: $(sha256sum slow.deb | cut -d' ' -f1); } >Packages
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list.d/story.list`

// fcntl locks, as apt and dpkg take them; perl is part of every Debian.
const holdLocks = (seconds: number) => `systemd-run -q --collect --unit=holder perl -e '
use Fcntl; my @held;
for my $path ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock") {
  open(my $file, ">>", $path) or die; my $lock = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0);
  fcntl($file, F_SETLK, $lock) or die "locked already"; push @held, $file;
}
open(my $ready, ">", "/run/held") or die; close $ready;
sleep ${seconds}'
until [ -e /run/held ]; do sleep 0.1; done; rm /run/held`

const says = (steps: { says: string }[]) => steps.map(step => step.says)
