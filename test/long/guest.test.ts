import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../../src/assets.ts'
import { findLab, type LabNode } from '../lab/lab.ts'

/** The exit code of `npm run lab` where it cannot run. */
const CANNOT = 3

describe('a virtual machine with Debian’s own kernel', () => {
  let lab: ChildProcess | undefined
  let guest: LabNode
  let lacks: string | undefined

  beforeAll(async () => {
    lab = spawn(process.execPath, ['scripts/lab.js', 'vm', 'up', '--hold', '--name', 'long-vm'], {
      cwd: packageRoot(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    lacks = await lacking(lab)
    if (lacks === undefined) guest = findLab('long-vm')!.node('vm')
  }, 600_000)
  beforeEach(ctx => ctx.skip(lacks !== undefined, lacks))
  afterAll(async () => {
    if (lab?.exitCode !== null) return
    lab.kill('SIGINT')
    await once(lab, 'exit')
  })

  test('boots a kernel of its own with nothing failed', async () => {
    expect(await on('uname -r')).toMatch(/-amd64$/)
    expect(await on('systemctl is-system-running --wait')).toBe('running')
    expect(await on('systemd-detect-virt')).toMatch(/^(qemu|kvm)$/)
  })

  test('has a clock of its own', async () => {
    const before = Date.now()
    await on('systemctl stop chrony && date -s "2031-01-01 UTC"')
    expect(await on('date +%Y')).toBe('2031')
    expect(new Date().getFullYear()).toBe(new Date(before).getFullYear())
  })

  test('keeps a unit within its memory', async () => {
    const unit = 'systemd-run --quiet --wait -p MemoryMax=32M -p MemorySwapMax=0 --unit=hungry tail /dev/zero'
    await guest.ssh(['sh', '-c', unit])
    expect(await on('journalctl --no-pager --quiet --dmesg')).toContain('Memory cgroup out of memory')
    expect(await on('systemctl is-system-running || true')).toMatch(/running|degraded/)
  })

  test('finds its disks by id, takes logical volumes on them, and has both and its firewall after a reboot', async () => {
    await guest.kill()
    const disk = await guest.addDisk('1G')
    await guest.start()
    const id = '/dev/disk/by-id/virtio-lab-vdb'
    expect(await on(`readlink -f ${id}`)).toBe(disk)
    await on(
      `pvcreate -q ${id} && vgcreate -q lab ${id} && lvcreate -q -L 64M -n data lab && mkfs.ext4 -q /dev/lab/data`,
    )
    await on('mount /dev/lab/data /mnt && echo kept >/mnt/file && umount /mnt')
    const table =
      'table inet story { chain input { type filter hook input priority 0; tcp dport 9999 drop; }; }'
    await on(
      `echo '${table}' >/etc/nftables.conf && nft -c -f /etc/nftables.conf && systemctl -q enable nftables`,
    )
    await guest.reboot()
    expect(await on(`test -b ${id} && mount /dev/lab/data /mnt && cat /mnt/file`)).toBe('kept')
    expect(await on('nft list table inet story')).toContain('tcp dport 9999 drop')
  })

  async function on(line: string): Promise<string> {
    const done = await guest.ssh(['sh', '-c', line])
    expect(done, `${line}: ${done.stderr}`).toMatchObject({ code: 0 })
    return done.stdout.trim()
  }
})

/** Waits until the machine is up. Returns why there can be none here, or undefined. */
function lacking(lab: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let errors = ''
    lab.stderr!.setEncoding('utf8').on('data', text => {
      errors += text
    })
    lab.stdout!.setEncoding('utf8').on('data', (text: string) => text.includes('Up in') && resolve(undefined))
    lab.once('exit', code =>
      code === CANNOT ? resolve(errors.trim()) : reject(new Error(`lab vm up ended with ${code}: ${errors}`)),
    )
  })
}
