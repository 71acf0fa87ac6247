import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Event, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { converged } from './up/faults.ts'

storiesOfTheLab()

const MINUTES = 60_000
/** Bounded: a bring-up has some dozens of steps on each of the three. */
const MOST_RUNS = 150
const DISK = ', disks: [{id: virtio-lab-vdb}]'
const CEPH =
  'components:\n  ceph: {source: distro, allowEndOfLife: true, osd: {backend: raw}, config: {mon_data_avail_warn: 5}}\n'

/** When a run is killed: at an event that none of the earlier runs came to, and of Ceph's bring-up alone. */
const KILLED = [
  { when: 'after its first completed step', at: 'done', suite: 'trixie' },
  { when: 'during each of its steps', at: 'begin', suite: 'bookworm' },
] as const

describe.each(KILLED)('the bring-up of Ceph, killed (-9) $when ($suite)', ({ at, suite }) => {
  let lab: Lab
  let ada: Operator
  /** All that was ever the fsid, on any of the machines. */
  const fsids = new Set<string>()

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 3 })
    for (const node of lab.nodes) await node.addDisk('6G')
    ada = await operator(lab, wanted(''))
    const up = await ada.cli('cluster', 'up', '--yes')
    expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
    ada.write(wanted(CEPH))
  }, 15 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  const wanted = (more: string) =>
    clusterYaml(lab, {
      roles: { n1: 'control, storage', n2: 'control, storage', n3: 'control, storage' },
      extra: { n1: DISK, n2: DISK, n3: DISK },
      more,
    })

  test(
    'comes to its end all the same, as one cluster',
    async () => {
      const seen = new Set<string>()
      for (let run = 1; ; run++) {
        expect(run, [...seen].join('\n')).toBeLessThan(MOST_RUNS)
        const { child, events, ended } = ada.start('cluster', 'up', '--yes', '--json')
        for await (const event of events) {
          if (!isNew(event, seen)) continue
          child.kill('SIGKILL')
          await powerGoes(event)
          break
        }
        const { code, stdout, stderr } = await ended
        for (const fsid of await fsidsNow()) fsids.add(fsid)
        if (code === 0) break
        expect(code, stdout + stderr).toBeNull()
        // As an operator does who knows that the other run is gone; else each waits until the lock is free by itself.
        expect(await ada.cli('cluster', 'lock', 'release', '--yes')).toMatchObject({ code: 0 })
      }
      process.stdout.write(`${suite}: killed ${seen.size} times, ${at}\n`)
      expect(seen.size).toBeGreaterThan(20)
      await converged(lab, ada)
    },
    60 * MINUTES,
  )

  test(
    'has one fsid, three monitors, an OSD on each disk and both gateways',
    async () => {
      const ask = async (what: string) =>
        JSON.parse(await lab.node('n1').run(`ceph --connect-timeout 20 ${what} --format json`))
      expect([...fsids]).toEqual([(await ask('fsid')).fsid])
      expect((await ask('quorum_status')).quorum_names.toSorted()).toEqual(['n1', 'n2', 'n3'])
      const { nodes, stray } = await ask('osd tree')
      const osds = nodes.filter((one: { type: string }) => one.type === 'osd')
      expect(osds.map((one: { id: number; status: string }) => `${one.id} ${one.status}`).sort()).toEqual([
        '0 up',
        '1 up',
        '2 up',
      ])
      expect(
        nodes
          .filter((one: { type: string }) => one.type === 'host')
          .map((one: { children: number[] }) => one.children.length),
      ).toEqual([1, 1, 1])
      expect(stray).toEqual([])
      await expect.poll(() => healthy(ask), { timeout: 2 * MINUTES, interval: 3_000 }).toEqual([])
      const status = await ada.cli('cluster', 'status')
      expect(status.stdout).toContain('S3 is served by n1, n2.')
    },
    5 * MINUTES,
  )

  function isNew({ event, step, component }: Event, seen: Set<string>): boolean {
    // The same step on another node, and of a daemon of another node, counts as the same.
    const key = `${component} ${step?.says.replace(/\b((?:n[123]\b[, ]*)+)/g, 'N')}`
    if (event !== at || !step || seen.has(key)) return false
    seen.add(key)
    return true
  }

  /** Of the second machine while it makes its monitor, of the third while it makes its OSD. */
  async function powerGoes({ event, step }: Event): Promise<void> {
    const { node, says } = step!
    const goes =
      event === 'begin' &&
      [says.startsWith('make the monitor n2'), says.includes('an OSD on') && node === 'n3'].includes(true)
    if (!goes) return
    await lab.node(node).kill()
    await lab.node(node).start()
  }

  /** Of the secret, which is made once, and of what the monitors were made with. */
  async function fsidsNow(): Promise<string[]> {
    const told = await Promise.all(
      lab.nodes.map(node =>
        node.run(
          'cat /var/lib/llmagentos/secrets/ceph-fsid 2>/dev/null; echo; sed -n "s/^fsid = //p" /etc/ceph/ceph.conf 2>/dev/null; :',
        ),
      ),
    )
    return told.join('\n').split('\n').filter(Boolean)
  }

  /** Codes of warnings, without those of Debian's packages and of a crash that the power caused. */
  async function healthy(
    ask: (what: string) => Promise<{ checks: Record<string, unknown> }>,
  ): Promise<string[]> {
    const known = ['MGR_MODULE_DEPENDENCY', 'MGR_MODULE_ERROR', 'RECENT_CRASH', 'RECENT_MGR_MODULE_CRASH']
    return Object.keys((await ask('health')).checks).filter(code => !known.includes(code))
  }
})
