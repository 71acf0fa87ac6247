import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab } from './lab.ts'
import { programsAtHand } from './programs.ts'

storiesOfTheLab()

const MINUTES = 60_000
const MIB = 1024 * 1024
const DATA = 'default.rgw.buckets.data'

describe('a Ceph that fills up', () => {
  let lab: Lab
  let ada: Operator
  let node: LabNode

  const wanted = (fullAt: string) =>
    clusterYaml(lab, {
      roles: { n1: 'control, storage' },
      extra: { n1: ', disks: [{id: virtio-lab-vdb}], memory: {reserve: 10GiB}' },
      more: `components:
  ceph: {source: distro, allowEndOfLife: true, allowUnsafe: true, osd: {backend: raw}, object: {gateways: 1, fullAt: ${fullAt}}, config: {mon_data_avail_warn: 5}}
  rabbitmq: {}
  runtime: {}
`,
    })

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ nodes: 1 })
    node = lab.node('n1')
    await node.addDisk('6G')
    ada = await operator(lab, wanted('80%'))
    await programsAtHand(ada.folder)
    const up = await ada.cli('cluster', 'up', '--yes')
    expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
    // What fills it, beside what the data service keeps.
    await node.run(`rados -p ${DATA} bench 60 write -t 4 -b 4M --no-cleanup --max-objects 150 >/dev/null`, {
      deadlineMs: 5 * MINUTES,
    })
  }, 25 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'refuses at object.fullAt what begins something with 507, and gives and removes what is there',
    async () => {
      expect(await put('before')).toMatchObject({ code: 0 })
      expect(await put('goes')).toMatchObject({ code: 0 })
      ada.write(wanted('5%'))
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 0 })
      await expect
        .poll(() => put('refused'), { timeout: 3 * MINUTES, interval: 2_000 })
        .toMatchObject({ stderr: expect.stringMatching(/full, and 5 % is the limit/) })
      await same('before')
      expect(await ada.cli('data', 'rm', 'goes')).toMatchObject({ code: 0 })
      ada.write(wanted('80%'))
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 0 })
      await expect
        .poll(() => put('again'), { timeout: 3 * MINUTES, interval: 2_000 })
        .toMatchObject({ code: 0 })
    },
    15 * MINUTES,
  )

  test(
    'ends each write with an error by its deadline at its own limit, and is read all the same',
    async () => {
      // Its limit comes down to what is used, so that little data is enough.
      const used = await usedNow()
      const at = (less: number) => (used - less).toFixed(4)
      await node.run(
        `ceph osd set-nearfull-ratio ${at(0.02)} && ceph osd set-backfillfull-ratio ${at(0.01)} && ceph osd set-full-ratio ${at(0.004)}`,
      )
      await expect.poll(checks, { timeout: MINUTES, interval: 1_000 }).toContain('OSD_FULL')
      const began = performance.now()
      const refused = await put('never')
      const ms = Math.round(performance.now() - began)
      process.stdout.write(`at Ceph's own limit a write ended after ${ms} ms: ${refused.stderr.trim()}\n`)
      expect(refused.code, refused.stdout + refused.stderr).not.toBe(0)
      expect(ms).toBeLessThan(60_000)
      await same('before')
    },
    5 * MINUTES,
  )

  test(
    'gets a little room from check --fix, once, and status says so; when there is room again the limit goes back by itself',
    async () => {
      const was = await ratio()
      const shown = await ada.cli('cluster', 'check')
      expect(shown.stdout + shown.stderr).toContain('A disk of Ceph is full')
      const fixed = await ada.cli('cluster', 'check', '--fix', '--yes')
      expect(fixed.stderr, fixed.stdout).toContain("raise Ceph's full ratio from")
      expect(await ratio()).toBeCloseTo(was + 0.01, 3)
      await expect.poll(checks, { timeout: MINUTES, interval: 1_000 }).not.toContain('OSD_FULL')
      expect((await ada.cli('cluster', 'status')).stdout).toContain("Ceph's full ratio is raised from")
      await same('before')
      const again = await ada.cli('cluster', 'check', '--fix', '--yes')
      expect(again.stdout + again.stderr).not.toContain("raise Ceph's full ratio from")
      // What retention does, by another way: it removes.
      await node.run(`rados -p ${DATA} cleanup`, { deadlineMs: 5 * MINUTES })
      await expect.poll(ratio, { timeout: 4 * MINUTES, interval: 3_000 }).toBeCloseTo(was, 3)
      expect((await ada.cli('cluster', 'status')).stdout).not.toContain('full ratio is raised')
      await expect
        .poll(() => put('after'), { timeout: 2 * MINUTES, interval: 2_000 })
        .toMatchObject({ code: 0 })
      await same('after')
      await same('before')
    },
    10 * MINUTES,
  )

  const file = (name: string) => join(ada.folder, name)
  const put = (name: string) => {
    writeFileSync(file(name), randomBytes(2 * MIB))
    return ada.cli('data', 'put', file(name), '--name', name, '--replace')
  }
  const same = async (name: string) => {
    const got = await ada.cli('data', 'get', name, '--out', file('got'))
    expect(got, got.stderr).toMatchObject({ code: 0 })
    expect(readFileSync(file('got')).equals(readFileSync(file(name)))).toBe(true)
  }
  const asked = async (what: string) =>
    JSON.parse(await node.run(`ceph --connect-timeout 20 ${what} --format json`))
  const checks = async () => Object.keys((await asked('health')).checks)
  const ratio = async (): Promise<number> => (await asked('osd dump')).full_ratio
  const usedNow = async (): Promise<number> => (await asked('osd df')).nodes[0].utilization / 100
})
