import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000

describe('OSDs on the disks of a machine', () => {
  let lab: Lab
  let ada: Operator
  let node: LabNode

  const wanted = (disks: string[]) =>
    clusterYaml(lab, {
      roles: { n1: 'control, storage' },
      extra: {
        n1: `, disks: [${disks.map(id => `{id: virtio-lab-${id}}`).join(', ')}], memory: {reserve: 16GiB}`,
      },
      more: 'components:\n  ceph: {source: distro, allowUnsafe: true, allowEndOfLife: true, osd: {backend: raw}, object: {gateways: 0}}\n',
    })

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ nodes: 1 })
    node = lab.node('n1')
    for (let i = 0; i < 3; i++) await node.addDisk()
    ada = await operator(lab, wanted(['vdb', 'vdc']))
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'a CLI that is killed, and power that goes, in the middle of making one: the next run goes on, and no id is lost',
    async () => {
      const run = ada.start('cluster', 'up', '--yes', '--json')
      for await (const event of run.events)
        if (event.event === 'begin' && event.step?.says.includes('an OSD on')) break
      run.child.kill('SIGKILL')
      await node.kill()
      await node.start()
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stderr).toMatchObject({ code: 0 })
      expect(await osds()).toEqual(['osd.0 up', 'osd.1 up'])
      expect(
        await node.run('ceph osd ls | wc -l; ls -d /dev/.llmagentos* /run/llmagentos-osd* 2>/dev/null || :'),
      ).toBe('2\n')
    },
    10 * MINUTES,
  )

  test(
    'a second run makes no step and writes nothing',
    async () => {
      const files = () => node.files(['/etc', '/var/lib/llmagentos', '/var/lib/ceph/osd/by-disk'])
      const before = await files()
      const again = await ada.cli('cluster', 'up')
      expect(again.stdout).toContain('Nothing was changed.')
      expect(await files()).toEqual(before)
    },
    MINUTES,
  )

  test(
    'they are there again after a reboot',
    async () => {
      await node.reboot()
      await expect.poll(osds, { timeout: 60_000, interval: 1_000 }).toEqual(['osd.0 up', 'osd.1 up'])
    },
    2 * MINUTES,
  )

  test(
    'a disk that leaves the file, and one with something on it, stop before anything is changed',
    async () => {
      ada.write(wanted(['vdb']))
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({
        code: 9,
        stderr: expect.stringContaining('osd.1 keeps data on it'),
      })
      await node.run('mkfs.ext4 -q -F /dev/vdd 512M')
      ada.write(wanted(['vdb', 'vdc', 'vdd']))
      const disk = 'virtio-lab-vdd'
      expect(await ada.cli('cluster', 'plan')).toMatchObject({
        code: 9,
        stderr: expect.stringContaining(`${disk} (/dev/vdd) holds ext4`),
      })
      expect(
        await ada.cli('node', 'disk', 'wipe', 'n1', disk, '--yes-wipe', 'n1/virtio-lab-vdc'),
      ).toMatchObject({ code: 9 })
      expect(await ada.cli('node', 'disk', 'wipe', 'n1', disk)).toMatchObject({ code: 9 })
      expect(await node.run('wipefs -nO TYPE --noheadings /dev/vdd')).toBe('ext4\n')
    },
    MINUTES,
  )

  test(
    'the disk of an OSD is not wiped, running or not',
    async () => {
      for (const state of ['start', 'stop']) {
        await node.run(`systemctl ${state} ceph-osd@1`)
        const disk = 'virtio-lab-vdc'
        expect(await ada.cli('node', 'disk', 'wipe', 'n1', disk, '--yes-wipe', `n1/${disk}`)).toMatchObject({
          code: 9,
          stderr: expect.stringContaining('osd.1 of this cluster keeps its data on it'),
        })
      }
    },
    MINUTES,
  )

  test(
    'a disk that was wiped becomes an OSD, beside those that are there',
    async () => {
      const disk = 'virtio-lab-vdd'
      const wiped = await ada.cli('node', 'disk', 'wipe', 'n1', disk, '--yes-wipe', `n1/${disk}`)
      expect(wiped, wiped.stderr).toMatchObject({ code: 0 })
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stderr).toMatchObject({ code: 0 })
      expect(await osds()).toEqual(['osd.0 up', 'osd.1 up', 'osd.2 up'])
    },
    5 * MINUTES,
  )

  test(
    'another disk takes the place of one, under the same id',
    async () => {
      const [from, to] = ['virtio-lab-vdc', (await node.addDisk()).replace('/dev/', 'virtio-lab-')]
      expect(await ada.cli('node', 'disk', 'replace', 'n1', from, 'virtio-lab-vdb')).toMatchObject({
        code: 2,
      })
      const replaced = await ada.cli('node', 'disk', 'replace', 'n1', from, to)
      expect(replaced, replaced.stderr).toMatchObject({ code: 0 })
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stderr).toMatchObject({ code: 0 })
      expect(await osds()).toEqual(['osd.0 up', 'osd.1 up', 'osd.2 up'])
      expect(await node.run('readlink /var/lib/ceph/osd/ceph-1')).toBe(`by-disk/${to}\n`)
      const again = await ada.cli('cluster', 'up')
      expect(again.stdout).toContain('Nothing was changed.')
      const wiped = await ada.cli('node', 'disk', 'wipe', 'n1', from, '--yes-wipe', `n1/${from}`)
      expect(wiped, wiped.stderr).toMatchObject({ code: 0 })
    },
    5 * MINUTES,
  )

  const osds = async () =>
    JSON.parse(
      (await node.ssh(['ceph', '--connect-timeout', '10', 'osd', 'tree', '-f', 'json'])).stdout ||
        '{"nodes":[]}',
    )
      .nodes.filter((one: { type: string }) => one.type === 'osd')
      .map((one: { name: string; status: string }) => `${one.name} ${one.status}`)
      .sort()
})
