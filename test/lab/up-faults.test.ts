import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { aptRunning, aptRuns, converged, eventOf, quickApt, slowApt } from './up/faults.ts'

storiesOfTheLab()

const MINUTES = 60_000
const UP = ['cluster', 'up', '--yes', '--json', '--lock-wait', '90s'] as const
// fcntl locks, as apt and dpkg take them; perl is part of every Debian.
const HOLD = `use Fcntl; open($f, "+>", "/var/lib/dpkg/lock-frontend"); $l = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLK, $l) or die; open($g, ">", "/run/held"); sleep 600`

describe('bad luck while cluster up works on two machines', () => {
  let lab: Lab
  let ada: Operator

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'up-faults', nodes: 2 })
    ada = await operator(
      lab,
      clusterYaml(lab, { user: 'ops', roles: { n2: 'worker' }, more: 'firewall: {mode: strict}\n' }),
    )
    expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 0 })
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  const n2 = () => lab.node('n2')
  /** A package of ours is gone: the next run has to install it there. */
  const lose = () => n2().run('apt-get -y -qq --allow-change-held-packages purge nftables >/dev/null 2>&1')

  test(
    'SSH that is cut during apt: apt runs once, dpkg is clean, and the run goes on to its end',
    async () => {
      await lose()
      await slowApt(n2(), 15)
      const run = ada.start(...UP)
      await aptRunning(n2())
      n2().cut()
      await eventOf(run, ({ event, step }) => event === 'cut' && step?.node === 'n2').finally(() =>
        n2().heal(),
      )
      const { code, stderr } = await run.ended
      expect(code, stderr).toBe(0)
      expect(await aptRuns(n2())).toBe(1)
      await quickApt(n2())
      await converged(lab, ada)
    },
    5 * MINUTES,
  )

  test(
    'a machine that restarts in the middle of apt is named, and the next run converges',
    async () => {
      await lose()
      await slowApt(n2(), 60)
      const run = ada.start(...UP)
      await aptRunning(n2())
      await n2().reboot()
      const { code, stdout, stderr } = await run.ended
      expect(code, stderr).toBe(5)
      expect(stdout + stderr).toMatch(/n2.*install.*nftables/)
      await quickApt(n2())
      const next = await ada.cli('cluster', 'up', '--yes', '--lock-wait', '90s')
      expect(next, next.stdout + next.stderr).toMatchObject({ code: 0 })
      await converged(lab, ada)
    },
    5 * MINUTES,
  )

  test(
    'a disk that is full stops the run with the place, writes nothing half-way, and the next run converges',
    async () => {
      const before = await n2().run('cat /etc/hosts')
      await n2().run('sed -i "/begin llmagentos/,/end llmagentos/d" /etc/hosts')
      const drifted = await n2().run('cat /etc/hosts')
      await n2().run(
        'cp -a /var/lib/llmagentos /root/kept && mount -t tmpfs -o size=1M,mode=0700 none /var/lib/llmagentos && cp -a /root/kept/. /var/lib/llmagentos/ && { cat /dev/zero >/var/lib/llmagentos/full 2>/dev/null || :; }',
      )
      const full = await ada.cli('cluster', 'up', '--yes')
      expect([3, 5], full.stdout + full.stderr).toContain(full.code)
      expect(full.stdout + full.stderr).toMatch(/n2/)
      expect(full.stdout + full.stderr).toMatch(/is full|No space left/)
      expect([drifted, before]).toContain(await n2().run('cat /etc/hosts'))
      await n2().run('umount /var/lib/llmagentos && rm -r /root/kept')
      const next = await ada.cli('cluster', 'up', '--yes')
      expect(next, next.stdout + next.stderr).toMatchObject({ code: 0 })
      expect(await n2().run('cat /etc/hosts')).toBe(before)
      await converged(lab, ada)
    },
    5 * MINUTES,
  )

  test(
    'somebody else who uses apt is waited for',
    async () => {
      await lose()
      await n2().run(
        `systemd-run -q --unit=other-apt perl -e '${HOLD}'; timeout 20 sh -c 'until [ -e /run/held ]; do sleep 0.1; done'`,
      )
      const run = ada.start(...UP)
      await eventOf(run, ({ event, step }) => event === 'begin' && /install.*nftables/.test(step?.says ?? ''))
      const early = await Promise.race([
        run.ended,
        new Promise<'waits'>(done => setTimeout(done, 8_000, 'waits')),
      ])
      expect(early).toBe('waits')
      await n2().run('systemctl stop other-apt')
      const { code, stderr } = await run.ended
      expect(code, stderr).toBe(0)
      await converged(lab, ada)
    },
    5 * MINUTES,
  )

  test(
    'a mirror that is down is named, with the machine, and the next run converges',
    async () => {
      await lose()
      await n2().run(
        `rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/*; echo 'Acquire::http::Proxy "http://127.0.0.1:9";' >/etc/apt/apt.conf.d/99down`,
      )
      const down = await ada.cli('cluster', 'up', '--yes')
      expect([3, 5], down.stdout + down.stderr).toContain(down.code)
      // Which step of which machine, and apt's own words about the mirror.
      expect(down.stdout + down.stderr).toMatch(/n2.*install.*nftables/)
      expect(down.stdout + down.stderr).toMatch(
        /127\.0\.0\.1:9|Connection refused|Unable to (connect|locate)/,
      )
      await n2().run('rm /etc/apt/apt.conf.d/99down')
      const next = await ada.cli('cluster', 'up', '--yes')
      expect(next, next.stdout + next.stderr).toMatchObject({ code: 0 })
      await converged(lab, ada)
    },
    5 * MINUTES,
  )
})
