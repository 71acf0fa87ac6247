import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000
const DISK = ', disks: [{id: virtio-lab-vdb}]'

describe.each(SUITES)('Ceph on three machines of %s', suite => {
  let lab: Lab
  let ada: Operator

  const wanted = (more = '') =>
    clusterYaml(lab, {
      roles: { n1: 'control, storage', n2: 'control, storage', n3: 'control, storage' },
      extra: { n1: DISK, n2: DISK, n3: DISK },
      more: `components:\n  ceph: {source: distro, allowEndOfLife: true, osd: {backend: raw}, config: {mon_data_avail_warn: 5${more}}}\n`,
    })

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 3 })
    for (const node of lab.nodes) await node.addDisk('6G')
    ada = await operator(lab, wanted())
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'one command makes monitors, disks and gateways of three machines',
    async () => {
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stderr).toMatchObject({ code: 0 })
      expect(await quorum('n1')).toEqual(['n1', 'n2', 'n3'])
      const known = "Debian 13's Ceph cannot load"
      if (suite === 'trixie') expect(up.stderr + up.stdout).toContain(known)
      else expect(await health('n1')).toBe('HEALTH_OK')
      const status = await ada.cli('cluster', 'status')
      expect(status.stdout).toContain('S3 is served by n1, n2.')
    },
    15 * MINUTES,
  )

  test(
    'a second run makes no step and writes nothing',
    async () => {
      const before = await held()
      const again = await ada.cli('cluster', 'up')
      expect(again, again.stderr).toMatchObject({ code: 0 })
      expect(again.stdout).toContain('Nothing was changed.')
      expect(await held()).toEqual(before)
    },
    2 * MINUTES,
  )

  test(
    'a monitor whose store was wiped gets it back from the others',
    async () => {
      await lab.node('n2').run('systemctl stop ceph-mon@n2 && rm -rf /var/lib/ceph/mon/ceph-n2')
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stderr).toMatchObject({ code: 0 })
      expect(await quorum('n3')).toEqual(['n1', 'n2', 'n3'])
    },
    5 * MINUTES,
  )

  test(
    'an option of Ceph is set while the file has it, and taken away when it leaves',
    async () => {
      const now = () => lab.node('n1').run('ceph config get osd osd_max_scrubs')
      const before = await now()
      ada.write(wanted(', osd/osd_max_scrubs: 7'))
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 0 })
      expect(await now()).toBe('7\n')
      ada.write(wanted())
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 0 })
      expect(await now()).toBe(before)
    },
    5 * MINUTES,
  )

  test(
    'a machine that lost its power comes back by itself, with monitor, disk and gateway',
    async () => {
      await lab.node('n1').kill()
      await lab.node('n1').start()
      await expect
        .poll(() => quorum('n3'), { timeout: 3 * MINUTES, interval: 3_000 })
        .toEqual(['n1', 'n2', 'n3'])
      await expect
        .poll(() => ada.cli('cluster', 'plan', '--exit-code'), { timeout: 3 * MINUTES, interval: 5_000 })
        .toMatchObject({ code: 0 })
    },
    8 * MINUTES,
  )

  /** Names of the monitors that are in the quorum, as one node hears it. */
  async function quorum(node: string): Promise<string[]> {
    const told = await lab
      .node(node)
      .run('ceph --connect-timeout 20 quorum_status --format json', { deadlineMs: MINUTES })
    return (JSON.parse(told) as { quorum_names: string[] }).quorum_names.toSorted()
  }

  const health = async (node: string): Promise<string> =>
    (
      JSON.parse(await lab.node(node).run('ceph --connect-timeout 20 health --format json')) as {
        status: string
      }
    ).status

  const held = () => Promise.all(lab.nodes.map(node => node.files(['/etc', '/opt', '/var/lib/llmagentos'])))
})
