import { existsSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, Failure } from '../../../src/errors.ts'
import { waitFor } from '../../../src/retry.ts'
import { networkOfLab, setCable } from './bridge.ts'
import { output, type Ran, ran } from './commands.ts'
import { disksOf } from './disks.ts'
import { processes } from './fence.ts'
import { keysOf } from './furnish.ts'
import type { Machine } from './machine.ts'
import type { Place } from './place.ts'

/** A node as a virtual machine with Debian's own kernel, on an emulated processor: slow, and real in what containers share. */
export const guest: Machine = {
  deadlineMs: 300_000,
  prepare: makeRootDisk,
  argv: (place, network) => [
    'qemu-system-x86_64',
    ...'-nodefaults -no-user-config -display none -machine pc -accel tcg,thread=multi -cpu qemu64 -smp 2 -m 4096'.split(
      ' ',
    ),
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-kernel', inBoot(place, 'vmlinuz-'), '-initrd', inBoot(place, 'initrd.img-')],
    // One name for its network card wherever it sits.
    ...['-append', 'root=/dev/vda rw console=ttyS0 net.ifnames=0'],
    ...disk(rootDisk(place), 'vda'),
    ...disksOf(place).flatMap(name => disk(join(place.disks, `${name}.img`), name)),
    ...['-netdev', `tap,id=net,ifname=${network.cable(place.number)},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=net,romfile=,mac=${network.mac(place.number)}`],
    ...['-device', 'virtio-rng-pci'],
  ],
  async connect(place, network) {
    const cable = network.cable(place.number)
    await waitFor({ says: `the cable of ${place.node}`, deadlineMs: 30_000 }, () =>
      existsSync(`/sys/class/net/${cable}`) ? true : undefined,
    )
    output('ip', ['link', 'set', cable, 'addrgenmode', 'none'])
    setCable(network, place.number, true)
    output('ip', ['link', 'set', cable, 'up'])
  },
  runs: place => processes(place.lab, place.node).length > 0,
  async letsIn(place) {
    return (await over(place, 'ops', 'true')).code === 0
  },
  async shutDownToReboot(place) {
    const before = await bootId(place)
    await over(place, 'root', 'systemctl reboot')
    await waitFor({ says: `${place.node} to boot again`, deadlineMs: 300_000, everyMs: 1000 }, async () => {
      const now = await bootId(place)
      return now && now !== before ? true : undefined
    })
  },
  addDisk(place) {
    if (this.runs(place))
      throw new Failure(`${place.node} gets its disks when it boots.`, {
        exit: EXIT.usage,
        why: 'The disk is made; a virtual machine is not given one while it runs.',
        next: 'Take its power and give it again.',
      })
  },
}

const rootDisk = (place: Place) => join(place.folder, 'root.img')

/** The furnished root file system, once, as a disk of its own: 12 GiB, of which what is written takes space. */
async function makeRootDisk(place: Place): Promise<void> {
  if (existsSync(rootDisk(place))) return
  const file = `${rootDisk(place)}.new`
  rmSync(file, { force: true })
  writeFileSync(file, '', { mode: 0o600 })
  truncateSync(file, 12 * 1024 ** 3)
  const made = await ran(['nice', '-n', '10', 'mkfs.ext4', '-q', '-F', '-d', place.root, file])
  if (made.code !== 0) throw new Error(`mkfs.ext4 ended with ${made.code}: ${made.stderr}`)
  renameSync(file, rootDisk(place))
}

/** The serial number is what makes /dev/disk/by-id. */
const disk = (file: string, name: string) => [
  ...['-drive', `file=${file},format=raw,if=none,id=${name}`],
  ...['-device', `virtio-blk-pci,drive=${name},serial=lab-${name}`],
]

function inBoot(place: Place, prefix: string): string {
  const folder = join(place.image, 'boot')
  return join(folder, readdirSync(folder).find(name => name.startsWith(prefix))!)
}

function over(place: Place, user: string, line: string): Promise<Ran> {
  const { own } = networkOfLab(place.lab)!
  return ran(['ssh', '-F', keysOf(place.lab).sshConfig, '-b', own, `${user}@${place.node}`, '--', line], {
    deadlineMs: 30_000,
  })
}

async function bootId(place: Place): Promise<string> {
  return (await over(place, 'root', 'cat /proc/sys/kernel/random/boot_id')).stdout.trim()
}
