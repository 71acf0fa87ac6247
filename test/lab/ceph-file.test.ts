import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab, SUITES } from './lab.ts'
import { DISKS } from './parts/recipe.ts'

storiesOfTheLab()

const MINUTES = 60_000
const DISK = ', disks: [{id: virtio-lab-vdb}]'
const SHARED = '{on: worker, path: /srv/shared}'

// n3 and n4 mount; n1 and n2 serve.
describe.each(SUITES)('files and block devices on machines of %s', suite => {
  let lab: Lab
  let ada: Operator
  let n3: LabNode
  let n4: LabNode

  const wanted = (mounts = SHARED) =>
    clusterYaml(lab, {
      roles: {
        n1: 'control, storage',
        n2: 'control, storage',
        n3: 'control, storage, worker',
        n4: 'worker',
      },
      extra: { n1: DISK, n2: DISK, n3: DISK },
      more: `components:\n  ceph: {source: distro, allowEndOfLife: true, osd: {backend: raw}, object: {gateways: 0}, config: {mon_data_avail_warn: 5}, file: {mounts: [${mounts}]}, block: {on: worker}}\n`,
    })

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 4 })
    ;[n3, n4] = [lab.node('n3'), lab.node('n4')]
    for (const name of ['n1', 'n2', 'n3']) await lab.node(name).addDisk('6G')
    for (const node of [n3, n4]) await giveFuse(node)
    ada = await operator(lab, wanted())
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'a CLI that is killed while the file system is made: the next run goes on, and what one node writes another reads',
    async () => {
      const run = ada.start('cluster', 'up', '--yes', '--json')
      for await (const event of run.events)
        if (event.event === 'begin' && event.step?.says.includes('make the file system')) break
      run.child.kill('SIGKILL')
      await run.ended
      const up = await ada.cli('cluster', 'up', '--yes', '--lock-wait', '3m')
      expect(up, up.stderr).toMatchObject({ code: 0 })
      await n4.run('echo from n4 >/srv/shared/first')
      expect(await n3.run('cat /srv/shared/first')).toBe('from n4\n')
      const status = await ada.cli('cluster', 'status')
      expect(status.stdout).toMatch(/The file system is served by n[12], and n[12] stands by\./)
      expect(status.stdout).toContain('n3, n4: The file system is mounted at /srv/shared, and answers.')
    },
    25 * MINUTES,
  )

  test(
    'a second run makes no step and writes nothing',
    async () => {
      const held = () =>
        Promise.all(lab.nodes.map(node => node.files(['/etc', '/opt', '/var/lib/llmagentos'])))
      const before = await held()
      const again = await ada.cli('cluster', 'up')
      expect(again, again.stderr).toMatchObject({ code: 0 })
      expect(again.stdout).toContain('Nothing was changed.')
      expect(await held()).toEqual(before)
    },
    3 * MINUTES,
  )

  test(
    'an image of the pool keeps what is written, by a key that opens nothing else',
    async () => {
      const text = await n4.run(
        `set -e
rbd() { command rbd --id rbd "$@" 2>/root/rbd.said || { cat /root/rbd.said >&2; return 1; }; }
head -c 8388608 /dev/urandom >/root/image
rbd import /root/image disk1 && rbd export disk1 /root/again && cmp /root/image /root/again
rbd create --size 64M disk2 && rbd bench --io-type write --io-size 4096 --io-total 1M disk2 >/dev/null
rbd info disk1 | head -1; stat -c %a:%U /etc/ceph/ceph.client.rbd.keyring`,
        { deadlineMs: 2 * MINUTES },
      )
      expect(text).toBe("rbd image 'disk1':\n600:root\n")
      const tried = (client: string, pool: string) =>
        n4.ssh(['timeout', '20', 'rados', '--id', client, '-p', pool, 'put', 'x', '/etc/hostname'])
      expect(await tried('rbd', 'rbd')).toMatchObject({ code: 0 })
      expect((await tried('rbd', 'cephfs_data')).stderr).toContain('Operation not permitted')
      expect((await tried('cephfs.n4', 'rbd')).stderr).toContain('Operation not permitted')
      expect((await tried('cephfs.n4', 'cephfs_metadata')).stderr).toContain('Operation not permitted')
    },
    4 * MINUTES,
  )

  test(
    'the machine whose metadata server serves is switched off: the other takes over, and no line that was written is lost',
    async () => {
      const active = (await serving())!
      const other = active === 'n1' ? 'n2' : 'n1'
      await n4.run(`systemd-run --quiet --unit=writer python3 -c '
import os, time
with open("/srv/shared/lines", "w") as f, open("/root/acknowledged", "w") as done:
    for i in range(100000):
        f.write("%d\\n" % i); f.flush(); os.fsync(f.fileno())
        done.write("%d %.1f\\n" % (i, time.monotonic())); done.flush()
        time.sleep(0.1)'`)
      await expect.poll(lines, { timeout: MINUTES }).toBeGreaterThan(20)
      await lab.node(active).kill()
      const killedAt = await lines()
      const status = await ada.cli('cluster', 'status')
      expect(status.stdout + status.stderr).toContain(active)
      await expect.poll(serving, { timeout: 3 * MINUTES, interval: 2_000 }).toBe(other)
      await expect.poll(lines, { timeout: 3 * MINUTES }).toBeGreaterThan(killedAt + 50)
      await n4.run('systemctl stop writer || :')
      expect(await lines()).toBe(Number(await n3.run('wc -l </srv/shared/lines')))
      const alone = await ada.cli('cluster', 'status')
      expect(alone.stdout + alone.stderr).toContain(`${other} alone serves the file system`)
      await lab.node(active).start()
      await settled()
    },
    15 * MINUTES,
  )

  test(
    'a mount whose process died, and one whose machine lost its power, come back by themselves',
    async () => {
      const seen = () => n4.run('timeout 5 cat /srv/shared/first 2>/dev/null || :')
      const killed = await n4.run(
        'kill -9 $(pidof ceph-fuse); sleep 0.5; (echo lost >/srv/shared/lost) 2>/dev/null && echo written || echo refused',
      )
      expect(killed).toBe('refused\n')
      await expect.poll(seen, { timeout: MINUTES }).toBe('from n4\n')
      await n4.run('umount /srv/shared')
      await expect.poll(seen, { timeout: MINUTES }).toBe('from n4\n')
      expect(await n4.run('ls /srv/shared')).not.toContain('lost')
      await n4.kill()
      await n4.start()
      await expect.poll(seen, { timeout: 2 * MINUTES, interval: 2_000 }).toBe('from n4\n')
      await settled()
    },
    6 * MINUTES,
  )

  test(
    'a mount that Ceph no longer lets in is made anew',
    async () => {
      const control = lab.node('n3')
      await n4.run('cat /srv/shared/first')
      const clients = JSON.parse(
        await control.run(`ceph --format json tell mds.cephfs:0 client ls 2>/dev/null`),
      ) as { id: number; client_metadata: { hostname?: string; entity_id?: string } }[]
      const own = clients.find(one => one.client_metadata.entity_id === 'cephfs.n4')!
      await control.run(`ceph tell mds.cephfs:0 client evict id=${own.id} 2>/dev/null`)
      await expect
        .poll(() => n4.run('journalctl --quiet --unit="llmagentos-cephfs:srv:shared" --output=cat'), {
          timeout: MINUTES,
        })
        .toContain('the mount is dead')
      await expect
        .poll(() => n4.run('timeout 5 cat /srv/shared/first 2>/dev/null || :'), { timeout: MINUTES })
        .toBe('from n4\n')
    },
    4 * MINUTES,
  )

  test(
    'a mount that hangs is unknown and not gone, whoever looks gets an answer, and no look is left behind',
    async () => {
      await n4.run('kill -STOP $(pidof ceph-fuse)')
      for (let i = 0; i < 3; i++) {
        const began = performance.now()
        const status = await ada.cli('cluster', 'status')
        expect(status.stdout + status.stderr).toContain('/srv/shared does not answer: whoever uses it waits.')
        expect(performance.now() - began).toBeLessThan(60_000)
      }
      expect((await ada.cli('cluster', 'plan')).stdout).not.toContain('mount')
      expect(Number(await n4.run('pgrep -fc "llmagentos-look|in the way" || :'))).toBeLessThanOrEqual(1)
      await n4.run('kill -CONT $(pidof ceph-fuse)')
      await settled()
    },
    6 * MINUTES,
  )

  test(
    'a folder with something in it is refused, and stays as it is; a mount that leaves the file is unmounted, and its data is kept',
    async () => {
      await n4.run('mkdir -p /srv/own && echo mine >/srv/own/file')
      ada.write(wanted(`${SHARED}, {on: worker, path: /srv/own}`))
      const refused = await ada.cli('cluster', 'up', '--yes')
      expect(refused.code, refused.stderr).toBe(9)
      expect(refused.stderr).toContain('n4: /srv/own: it is not empty')
      expect(await n4.run('cat /srv/own/file')).toBe('mine\n')
      ada.write(wanted('{on: worker, path: /srv/else}'))
      const moved = await ada.cli('cluster', 'up', '--yes')
      expect(moved, moved.stderr).toMatchObject({ code: 0 })
      expect(await n4.run('ls /srv/shared; cat /srv/else/first')).toBe('from n4\n')
      const again = await ada.cli('cluster', 'up')
      expect(again.stdout).toContain('Nothing was changed.')
    },
    8 * MINUTES,
  )

  /** The node of the metadata server that is active, as n3 hears it. */
  async function serving(): Promise<string | undefined> {
    const text = await n3.run('ceph --connect-timeout 20 --format json fs dump 2>/dev/null || echo null', {
      deadlineMs: MINUTES,
    })
    const dump = JSON.parse(text) as {
      filesystems: { mdsmap: { info: Record<string, { name: string; state: string }> } }[]
    } | null
    const all = dump?.filesystems.flatMap(({ mdsmap }) => Object.values(mdsmap.info)) ?? []
    return all.find(one => one.state === 'up:active')?.name.replace('cephfs.', '')
  }

  const lines = async () => Number(await n4.run('wc -l </root/acknowledged'))

  /** There is nothing to do, and all is well. */
  const settled = () =>
    expect
      .poll(
        async () => {
          const status = await ada.cli('cluster', 'status')
          const said = status.stdout + status.stderr
          const plan = await ada.cli('cluster', 'plan', '--exit-code')
          return (
            plan.code === 0 &&
            said.includes('stands by.') &&
            said.includes('answers.') &&
            !/does not answer|is dead/.test(said)
          )
        },
        { timeout: 4 * MINUTES, interval: 5_000 },
      )
      .toBe(true)
})

/** A machine has it from its kernel; a node of the lab may have it, now and after its next start. */
const giveFuse = (node: LabNode) =>
  node.run(`for folder in /dev ${DISKS}; do mknod -m 0666 $folder/fuse c 10 229; done`)
