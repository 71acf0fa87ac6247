import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab, type Ran, SUITES } from './lab.ts'

storiesOfTheLab()

describe.each(SUITES)('three nodes of %s', suite => {
  let lab: Lab

  beforeAll(async () => {
    if (!lacks) lab = await openLab({ suite, nodes: 3 })
  })
  afterAll(() => lab?.close())

  test('boot a full systemd with nothing failed', async () => {
    const states = await onEach(['systemctl', 'is-system-running', '--wait'])
    expect(states).toEqual(['running', 'running', 'running'])
    const codename = 'VERSION_CODENAME'
    expect(await onEach(['sh', '-c', `. /etc/os-release; echo $${codename}`])).toEqual([suite, suite, suite])
  })

  test('have names, machine ids and host keys of their own', async () => {
    expect(await onEach(['hostname'])).toEqual(['n1', 'n2', 'n3'])
    for (const file of ['/etc/machine-id', ...HOST_KEYS]) {
      const texts = await onEach(['cat', file])
      expect(texts).toHaveLength(new Set(texts).size)
    }
  })

  test('reach each other', async () => {
    for (const from of lab.nodes)
      for (const to of lab.nodes) {
        const greeting = `read -r line </dev/tcp/${to.address}/22 && echo "$line"`
        expect(await textOf(from.ssh(['bash', '-c', greeting]))).toMatch(/^SSH-2\.0-/)
      }
  })

  test('take their packages from the mirror of this machine', async () => {
    expect(await lab.node('n1').ssh(['apt-get', '-qq', 'update'])).toMatchObject({ code: 0, stderr: '' })
    expect(await textOf(lab.node('n1').ssh(['apt-cache', 'policy', 'rabbitmq-server']))).toContain(
      'Candidate: ',
    )
  })

  test('let root, an operator with sudo and one who is asked for a password in', async () => {
    const node = lab.node('n2')
    expect(await textOf(node.ssh(['id', '-un']))).toBe('root')
    expect(await textOf(node.ssh(['sudo', '-n', 'id', '-un'], { user: 'ops' }))).toBe('root')
    expect(await node.ssh(['sudo', '-n', 'id'], { user: 'ops-ask' })).toMatchObject({ code: 1 })
    const asked = node.ssh(['sudo', '-S', '-p', '', 'id', '-un'], {
      user: 'ops-ask',
      input: `${lab.password}\n`,
    })
    expect(await textOf(asked)).toBe('root')
  })

  test('keep what was written when the power goes', async () => {
    const node = lab.node('n1')
    await node.ssh(['sh', '-c', 'echo kept >/root/kept; sync'])
    const [machine, boot] = [await idOf(node), await bootOf(node)]
    await node.kill()
    expect(node.running()).toBe(false)
    expect(await node.ssh(['true'])).toMatchObject({ code: 255 })
    expect(lab.node('n2').running()).toBe(true)
    await node.start()
    expect(await textOf(node.ssh(['cat', '/root/kept']))).toBe('kept')
    expect([await idOf(node), (await bootOf(node)) !== boot]).toEqual([machine, true])
    expect(await textOf(node.ssh(['systemctl', 'is-system-running', '--wait']))).toBe('running')
  })

  test('are out of reach while their cable is unplugged', async () => {
    const [first, second] = lab.nodes as [LabNode, LabNode]
    first.cut()
    expect(await first.ssh(['true'])).toMatchObject({ code: 255 })
    const call = ['timeout', '2', 'bash', '-c', `: </dev/tcp/${first.address}/22`]
    expect((await second.ssh(call)).code).not.toBe(0)
    first.heal()
    expect(await textOf(first.ssh(['hostname']))).toBe('n1')
    expect((await second.ssh(call)).code).toBe(0)
  })

  test('have a disk of their own that nobody else sees, over kill and reboot', async () => {
    const [first, second] = lab.nodes as [LabNode, LabNode]
    const disk = await first.addDisk('64M')
    expect(await textOf(first.ssh(['sh', '-c', `head -c 64M ${disk} | tr -d '\\0' | wc -c`]))).toBe('0')
    expect(await textOf(first.ssh(['blockdev', '--getsize64', disk]))).toBe(String(64 * 1024 ** 2))
    expect((await second.ssh(['test', '-e', disk])).code).toBe(1)
    await textOf(
      first.ssh(['sh', '-c', `mkfs.ext4 -q ${disk} && mount ${disk} /mnt && echo data >/mnt/file && sync`]),
    )
    await first.kill()
    await first.start()
    const read = ['sh', '-c', `mount ${disk} /mnt && cat /mnt/file`]
    expect(await textOf(first.ssh(read))).toBe('data')
    await first.reboot()
    expect(await textOf(first.ssh(read))).toBe('data')
    expect(await textOf(first.ssh(['readlink', '-e', '/dev/disk/by-id/virtio-lab-vdb']))).toBe(disk)
    expect(await second.addDisk('16M')).toBe('/dev/vdb')
  })

  test('say at once, with the end of the console, when they do not boot', async () => {
    const node = lab.node('n3')
    await textOf(node.ssh(['mv', '/usr/lib/systemd/systemd', '/usr/lib/systemd/off']))
    await node.kill()
    await expect(node.start()).rejects.toThrow(/n3 went off again\..*console:\n.*init/s)
    expect(node.running()).toBe(false)
  })

  async function onEach(argv: string[]): Promise<string[]> {
    return Promise.all(lab.nodes.map(node => textOf(node.ssh(argv))))
  }
})

const HOST_KEYS = ['ed25519', 'ecdsa', 'rsa'].map(type => `/etc/ssh/ssh_host_${type}_key.pub`)

const idOf = (node: LabNode) => textOf(node.ssh(['cat', '/etc/machine-id']))
/** When the first process started: the kernel's own boot id is the machine's. */
const bootOf = (node: LabNode) => textOf(node.ssh(['stat', '-c', '%Y.%i', '/proc/1']))

async function textOf(running: Promise<Ran>): Promise<string> {
  const done = await running
  expect(done, done.stderr).toMatchObject({ code: 0 })
  return done.stdout.trim()
}
