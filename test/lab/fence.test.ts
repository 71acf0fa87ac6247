import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '../helpers/temp.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { output } from './parts/commands.ts'
import { allowLoop } from './parts/fence.ts'

storiesOfTheLab()

describe('root in a node, who tries', () => {
  let lab: Lab

  beforeAll(async () => {
    if (!lacks) lab = await openLab({ nodes: 2, flavour: 'bare' })
  })
  afterAll(() => lab?.close())

  test('makes no device file of a disk of this machine', async () => {
    for (const disk of [foreign().disk, ...disks()])
      expect(await tries(`mknod /root/disk b ${disk.major} ${disk.minor}`), disk.name).toContain(REFUSED)
  })

  test('neither reads, writes nor mounts one that another way shows', async () => {
    const { disk, file, text } = foreign()
    expect(output('head', ['-c', '7', `/dev/${disk.name}`]), 'outside it can be read').toBe('foreign')
    await tries('mount -t devtmpfs none /mnt')
    for (const { name } of [disk, ...disks()])
      for (const line of [`head -c 1 /mnt/${name}`, `echo >>/mnt/${name}`, `mount /mnt/${name} /srv`])
        expect(await tries(line), line).not.toBe('done')
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  test('cannot open the disk of another node', async () => {
    const disk = await lab.node('n2').addDisk('16M')
    const minor = (await lab.node('n2').ssh(['stat', '-c', '%Lr', disk])).stdout.trim()
    expect(minor).toMatch(/^\d+$/)
    expect(await tries(`mknod /root/disk b 7 ${minor}`)).toContain(REFUSED)
  })

  test('finds no way to change the list of devices', async () => {
    await tries('mkdir -p /root/groups && mount -t cgroup -o devices none /root/groups')
    await tries('for f in $(find /sys/fs/cgroup /root/groups -name devices.allow); do echo a >$f; done')
    const { disk } = foreign()
    expect(await tries(`mknod /root/disk b ${disk.major} ${disk.minor}`)).toContain(REFUSED)
  })

  test('is given no other device by the lab itself', () => {
    for (const minor of [-1, 1.5, Number.NaN])
      expect(() => allowLoop({ lab: lab.name, node: 'n1', minor })).toThrow('no number of a loop device')
  })

  async function tries(line: string): Promise<string> {
    const { code, stderr } = await lab.node('n1').ssh(['sh', '-c', line])
    return code === 0 ? 'done' : stderr || `exit code ${code}`
  }
})

const REFUSED = 'Operation not permitted'

interface Disk {
  name: string
  major: number
  minor: number
}

/** A disk that is not the lab's, which root of this machine may read: its own disks may be closed even to it. */
function foreign(): { disk: Disk; file: string; text: string } {
  const file = join(tempFolder(), 'foreign.img')
  const text = 'foreign'.padEnd(1024 ** 2, '.')
  writeFileSync(file, text)
  const loop = output('losetup', ['--find', '--show', file])
  onTestFinished(() => void output('losetup', ['--detach', loop]))
  return { disk: diskOf(loop.slice('/dev/'.length)), file, text }
}

/** The block devices of this machine that are no loop devices and have a size. */
function disks(): Disk[] {
  return readdirSync('/sys/block')
    .filter(name => !name.startsWith('loop') && existsSync(`/dev/${name}`))
    .filter(name => readFileSync(`/sys/block/${name}/size`, 'utf8').trim() !== '0')
    .map(diskOf)
}

function diskOf(name: string): Disk {
  const [major, minor] = readFileSync(`/sys/block/${name}/dev`, 'utf8').trim().split(':').map(Number)
  return { name, major: major!, minor: minor! }
}
