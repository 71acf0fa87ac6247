import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXIT } from '../../src/errors.ts'
import type { StepEvent } from '../../src/provision/reconcile/apply.ts'
import { fence } from '../../src/provision/reconcile/fence.ts'
import { releaseLock } from '../../src/provision/reconcile/lock.ts'
import { waitFor } from '../../src/retry.ts'
import { Secret } from '../../src/secret.ts'
import { failureOf } from '../provision/connections/failure-of.ts'
import { Bench, does, newRun, runs } from './engine/bench.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { SUITES } from './lab.ts'

storiesOfTheLab()

describe.each(SUITES)('bad luck on nodes of %s', suite => {
  let bench: Bench
  beforeAll(async () => {
    if (!lacks) bench = await Bench.open(`engine-faults-${suite}`, suite)
  })
  afterAll(() => bench?.close())

  /** A step that notes when it begins and when it ends, and a look at these notes. */
  const noted = (node: string, o: { seconds: number }) => {
    const file = `/root/${randomBytes(4).toString('hex')}`
    const step = runs(node, `echo begin >>${file}; sleep ${o.seconds}; echo end >>${file}`)
    const notes = async () => (await bench.says(node, `cat ${file} 2>/dev/null`)).trim().split('\n').join(' ')
    const begun = () =>
      waitFor({ says: 'the step to begin', deadlineMs: 60_000 }, async () =>
        (await notes()) === 'begin' ? true : undefined,
      )
    return { step, notes, begun }
  }

  test('a CLI that is killed leaves a step that ends once; the next run waits for it or follows it', async () => {
    const { step, notes, begun } = noted('n1', { seconds: 6 })
    const killed = await bench.cli({ who: 'ada@laptop', steps: [step] })
    await begun()
    killed.signal('SIGKILL')
    await killed.ended()
    const [follows] = await Promise.all([
      bench.apply([step], { number: 1_000 }),
      bench.apply([noted('n2', { seconds: 0 }).step]),
    ])
    expect(follows).toMatchObject({ done: [step], failed: [] })
    expect(await notes()).toBe('begin end')
    expect(await bench.journal('n1', step.id)).toEqual(['begun', 'done'])

    const connections = await bench.connect()
    await releaseLock([...connections.values()])
    const second = noted('n1', { seconds: 5 })
    const alsoKilled = await bench.cli({
      who: 'ada@laptop',
      steps: [second.step],
      above: 1_000,
      waitMs: 60_000,
    })
    await second.begun()
    alsoKilled.signal('SIGKILL')
    const said: object[] = []
    await fence([...connections.values()], 2_000, { deadlineMs: 30_000, onWait: o => said.push(o) })
    expect(said).toEqual([{ node: 'n1', says: second.step.says }])
    expect(await second.notes()).toBe('begin end')
    expect(await bench.journal('n1', second.step.id)).toEqual(['begun', 'done'])
    expect(await bench.says('n1', 'ls -A /run/llmagentos/steps')).toBe('')
  })

  test('a step goes on when SSH is cut, and is followed again', async () => {
    const { step, notes, begun } = noted('n1', { seconds: 4 })
    const connections = await bench.connect()
    const events: StepEvent[] = []
    const pending = bench.apply([step], { connections, number: 2_000, onEvent: event => events.push(event) })
    await begun()
    await bench.says('n1', 'for p in $(pgrep -u ops -f "^sshd"); do kill -9 $p; done')
    expect(await pending).toMatchObject({ done: [step], failed: [] })
    expect(events.map(event => event.type)).toEqual(['wave', 'begin', 'cut', 'done'])
    expect(await notes()).toBe('begin end')
    expect(await bench.journal('n1', step.id)).toEqual(['begun', 'done'])
  })

  test('a cable that is pulled out hurts no step, whether it ends before the cable is back or after', async () => {
    const config = join(bench.lab.folder, 'impatient.conf')
    writeFileSync(config, 'Host *\n  ServerAliveInterval 1\n  ServerAliveCountMax 2\n  ConnectTimeout 2\n')
    const n2 = bench.lab.node('n2')
    for (const seconds of [4, 15]) {
      const { step, notes, begun } = noted('n2', { seconds })
      const connections = await bench.connect({ config })
      const cut: string[] = []
      const pending = bench.apply([step], {
        connections,
        number: 2_000,
        onEvent: event => event.type === 'cut' && cut.push(event.why),
      })
      await begun()
      n2.cut()
      await waitFor({ says: 'the cut to be noticed', deadlineMs: 20_000 }, () =>
        cut.length > 0 ? true : undefined,
      ).finally(() => n2.heal())
      expect(await pending).toMatchObject({ done: [step], failed: [] })
      expect(await notes()).toBe('begin end')
      expect(await bench.journal('n2', step.id)).toEqual(['begun', 'done'])
    }
  })

  test('a step may restart what started it', async () => {
    const restarts = runs(
      'n1',
      'systemctl daemon-reload; systemctl daemon-reexec; systemctl restart dbus; sleep 1; echo x',
    )
    expect(await bench.apply([restarts], { number: 2_000 })).toMatchObject({ done: [restarts], failed: [] })
    expect(await bench.journal('n1', restarts.id)).toEqual(['begun', 'done'])
  })

  test('a deadline ends a step with all that it started', async () => {
    const stubborn = `trap '' TERM; sleep 4242 & (trap '' TERM; setsid sleep 4243) & wait`
    const step = runs('n1', stubborn, { deadlineMs: 1_500 })
    const { failed } = await bench.apply([step], { number: 2_000 })
    expect(failed).toMatchObject([{ code: 124, why: 'it took longer than 1.5 s' }])
    expect(await bench.says('n1', 'pgrep -af "sleep 424[23]$"')).toBe('')
  })

  test('a run whose lock was taken starts nothing more, and hears from whom', async () => {
    const connections = await bench.connect()
    await fence([...connections.values()], 3_000, { deadlineMs: 30_000 })
    const { step, notes } = noted('n1', { seconds: 0 })
    const holder = async () => ({ who: 'bob@desk', doing: 'cluster up', since: '2026-01-01T00:00:00Z' })
    const refused = await failureOf(
      bench.apply([step, runs('n2', 'touch /root/no')], { number: 2_999, holder }),
    )
    expect(refused).toMatchObject({ exit: EXIT.locked, why: expect.stringContaining('bob@desk') })
    expect(await notes()).toBe('')
    expect(await bench.says('n2', 'ls /root/no 2>/dev/null; ls -A /run/llmagentos/steps')).toBe('')
    expect(await failureOf(fence([...connections.values()], 2_999, { deadlineMs: 30_000 }))).toMatchObject({
      exit: EXIT.locked,
    })
  })

  test('a signal lets the running step end and starts no other', async () => {
    const { step, notes, begun } = noted('n1', { seconds: 2 })
    const stop = new AbortController()
    const next = runs('n1', 'true')
    const pending = bench.apply([step, next], { number: 3_000, signal: stop.signal })
    await begun()
    stop.abort()
    expect(await pending).toEqual({ done: [step], failed: [], notRun: [next] })
    expect(await notes()).toBe('begin end')
  })

  test('a node that restarts, or loses power, in a step fails it with the reason; the next run does it', async () => {
    for (const how of ['reboot', 'power'] as const) {
      const { step, notes, begun } = noted('n3', { seconds: 5 })
      const run = newRun()
      const pending = bench.apply([step], { number: 3_000, run })
      await begun()
      const n3 = bench.lab.node('n3')
      if (how === 'reboot') await n3.reboot()
      else {
        await n3.kill()
        await n3.start()
      }
      const [failed] = (await pending).failed
      expect(failed?.why).toBe(
        how === 'power'
          ? 'n3 was restarted while it ran'
          : 'it was stopped from outside: by someone there, or because the machine went down (signal TERM)',
      )
      expect(await bench.journal('n3', step.id)).toEqual(['begun', 'failed'])
      expect(await bench.apply([step], { number: 3_000 })).toMatchObject({ done: [step], failed: [] })
      expect(await notes()).toBe('begin begin end')
    }
  })

  test('a full disk fails the step and leaves the old file', async () => {
    await bench.says(
      'n1',
      'mkdir -p /mnt/small && mount -t tmpfs -o size=64k tmpfs /mnt/small && echo old >/mnt/small/file',
    )
    const text = randomBytes(200_000).toString('hex')
    const act = { do: 'write', path: '/mnt/small/file', text, mode: 0o644, owner: 'root:root' } as const
    const { failed } = await bench.apply([does('n1', act)], { number: 3_000 })
    expect(failed).toMatchObject([{ stderr: expect.stringContaining('No space left') }])
    expect(await bench.says('n1', 'cat /mnt/small/file; ls -A /mnt/small')).toBe('old\nfile\n')
  })

  test('a secret is seen in no process, unit, journal or file but its own', async () => {
    const canary = randomBytes(24).toString('hex')
    const seen = new Set<string>()
    const timer = setInterval(() => {
      for (const text of processes()) if (text.includes(canary)) seen.add(text)
    }, 5)
    let unit = ''
    const pending = bench.apply(
      [
        does('n1', {
          do: 'write',
          path: '/etc/story-secret',
          text: new Secret(canary),
          mode: 0o600,
          owner: 'root:root',
        }),
        does('n1', { do: 'run', argv: ['sh', '-c', UNTIL_SEEN], stdin: new Secret(canary) }),
      ],
      { number: 3_000 },
    )
    await waitFor({ says: 'the unit', deadlineMs: 20_000 }, async () => {
      unit = await bench.says(
        'n1',
        "systemctl show 'llmagentos-step-*'; cat /run/systemd/transient/llmagentos-step-*",
      )
      return unit.includes('MainPID') ? true : undefined
    })
    await bench.says('n1', 'touch /run/story-seen')
    const applied = await pending
    clearInterval(timer)
    expect(applied).toMatchObject({ failed: [] })
    expect(JSON.stringify(applied)).not.toContain(canary)
    expect([...seen]).toEqual([])
    expect(unit).not.toContain(canary)
    expect(await bench.says('n1', 'cat /etc/story-secret')).toBe(canary)
    expect(await bench.says('n1', 'journalctl -q --no-pager')).not.toContain(canary)
    const holding = `grep -rlF ${canary} /etc /var/lib /var/log /var/cache /run /tmp /root /srv /opt 2>/dev/null`
    expect(await bench.says('n1', holding)).toBe('/etc/story-secret\n')
  })
})

/** A step that is there until it was looked at, however long that takes on a busy machine. */
const UNTIL_SEEN =
  'cat >/dev/null; for i in $(seq 300); do [ ! -e /run/story-seen ] || break; sleep 0.1; done'

/** Arguments and environments of all processes of this machine, which are those of its nodes too. */
function processes(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid =>
      ['cmdline', 'environ'].map(file => {
        try {
          return readFileSync(`/proc/${pid}/${file}`, 'utf8')
        } catch {
          return ''
        }
      }),
    )
}
