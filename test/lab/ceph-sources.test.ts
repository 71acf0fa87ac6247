import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRepository, REVISION, type Repository } from './ceph/repository.ts'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000
const RELEASE = { bookworm: 'pacific', trixie: 'reef' } as const

describe.each(SUITES)('Ceph of another archive on a machine of %s', suite => {
  let lab: Lab
  let node: LabNode
  let ada: Operator
  let repository: Repository

  const wanted = (source: string) =>
    clusterYaml(lab, {
      roles: { n1: 'control, storage' },
      extra: { n1: ', disks: [{id: virtio-lab-vdb}]' },
      more: `components:\n  ceph: {${source}allowEndOfLife: true, allowUnsafe: true, osd: {backend: raw}, object: {gateways: 0}}\n`,
    })
  const mirror = (o: { key?: string; release?: string } = {}) =>
    `source: {mirror: "${repository.url}", key: ${JSON.stringify(o.key ?? repository.key)}}, release: ${o.release ?? RELEASE[suite]}, `

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 1 })
    node = lab.node('n1')
    await node.addDisk('6G')
    repository = await openRepository(lab, node)
    ada = await operator(lab, wanted(mirror()))
  }, 15 * MINUTES)
  afterAll(async () => {
    repository?.close()
    await lab?.close()
  }, 2 * MINUTES)

  const packages = () =>
    node.run("dpkg-query -W 'ceph*' 'librados*' python3-rados 2>/dev/null | awk 'NF == 2'")

  test(
    'an archive that somebody else signed is refused, and nothing is installed',
    async () => {
      repository.forge()
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up.code, up.stderr).not.toBe(0)
      expect(up.stderr + up.stdout).toContain('check who signed it')
      expect(await packages()).toBe('')
    },
    5 * MINUTES,
  )

  test(
    'one that has another release than the file says is refused, and nothing is installed',
    async () => {
      repository.restore()
      ada.write(wanted(mirror({ release: 'tentacle' })))
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stderr).toMatchObject({ code: 9, stderr: expect.stringContaining('and not tentacle') })
      expect(await packages()).toBe('')
    },
    5 * MINUTES,
  )

  test(
    'monitor, manager and disk run from its packages alone, and nothing else comes from it',
    async () => {
      ada.write(wanted(mirror()))
      const plan = await ada.cli('cluster', 'plan')
      expect(plan.stdout).toContain('end of life since')
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stderr).toMatchObject({ code: 0 })
      const found = (await packages()).trim().split('\n')
      expect(found.length).toBeGreaterThan(5)
      expect(found.filter(line => !line.endsWith(REVISION))).toEqual([])
      const tree = JSON.parse(await node.run('ceph --connect-timeout 20 osd tree -f json'))
      expect(tree.nodes.filter((one: { type: string }) => one.type === 'osd')).toMatchObject([
        { status: 'up' },
      ])
      expect(await node.run('apt-get -q update >/dev/null && apt-cache policy curl')).not.toContain(
        'Candidate: 99:99',
      )
      expect(repository.asked.some(path => path.includes('curl'))).toBe(false)
      const again = await ada.cli('cluster', 'up')
      expect(again.stdout).toContain('Nothing was changed.')
    },
    10 * MINUTES,
  )

  test(
    'a daemon whose program was replaced waits for a restart, and status says so until it got one',
    async () => {
      const status = async () => (await ada.cli('cluster', 'status')).stdout
      expect(await status()).not.toContain('what was there before')
      await node.run('cp -p /usr/bin/ceph-mon /usr/bin/.new && mv /usr/bin/.new /usr/bin/ceph-mon')
      expect(await status()).toContain('is installed, and ceph-mon@n1 still runs what was there before.')
      await node.run('systemctl restart ceph-mon@n1')
      expect(await status()).not.toContain('what was there before')
    },
    3 * MINUTES,
  )

  test(
    'what is installed is not left for another maker or release, and stays where the file says nothing more',
    async () => {
      for (const other of ['source: distro, ', mirror({ release: 'tentacle' })]) {
        ada.write(wanted(other))
        expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({
          code: 9,
          stderr: expect.stringContaining('upgraded in an order of its own'),
        })
      }
      ada.write(wanted(''))
      const plan = await ada.cli('cluster', 'plan')
      expect(plan.stdout).not.toContain('install')
      expect(plan.code, plan.stderr).toBe(0)
    },
    3 * MINUTES,
  )
})
