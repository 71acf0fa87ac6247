import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000

describe('an OSD on a logical volume, of a machine with a kernel of its own', () => {
  let lab: Lab
  let ada: Operator
  let node: LabNode

  const wanted = (disks: string) =>
    clusterYaml(lab, {
      nodes: ['n1'],
      roles: { n1: 'control, storage' },
      extra: { n1: `, disks: ${disks}` },
      more: 'components:\n  ceph: {source: distro, allowUnsafe: true, allowEndOfLife: true, object: {gateways: 0}}\n',
    })

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ nodes: 1, flavour: 'guest' })
    node = lab.node('n1')
    await node.kill()
    await node.addDisk()
    await node.start()
    ada = await operator(lab, wanted('all-blank'))
  }, 20 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'the blank disk is shown, accepted into the file, and becomes one',
    async () => {
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/virtio-lab-vdb .*lab-vdb .*blank/),
      })
      const up = await ada.cli('cluster', 'up', '--yes', '--accept-disks')
      expect(up, up.stderr).toMatchObject({ code: 0 })
      expect(await osd()).toContain('osd.0 up')
      const { stdout } = await ada.cli('node', 'disk', 'list')
      expect(stdout).toMatch(/virtio-lab-vda .*is the disk of the system/)
      expect(stdout).toMatch(
        /virtio-lab-vdb .*holds the volume ceph-[0-9a-f-]+\/osd-block-[0-9a-f-]+, osd\.0 of the Ceph cluster/,
      )
    },
    30 * MINUTES,
  )

  test(
    'a second run makes no step',
    async () => {
      expect((await ada.cli('cluster', 'up')).stdout).toContain('Nothing was changed.')
    },
    5 * MINUTES,
  )

  test(
    'it is there again after a reboot',
    async () => {
      await node.reboot()
      await expect.poll(osd, { timeout: 5 * MINUTES, interval: 5_000 }).toContain('osd.0 up')
    },
    10 * MINUTES,
  )

  const osd = async () => (await node.ssh(['ceph', '--connect-timeout', '20', 'osd', 'dump'])).stdout
})
