import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { programsAtHand } from './programs.ts'

storiesOfTheLab()

const MINUTES = 60_000
const NODES = ['n1', 'n2', 'n3']
const CEPH = '  ceph: {source: distro, allowEndOfLife: true, osd: {backend: raw}}\n'
const OBJECTS = { small: 300, large: 3 * 1024 * 1024, larger: 40 * 1024 * 1024 }
/** As `cluster status` tells it. */
const MOVE = 'llmagentos data migrate --from /var/lib/llmagentos-data/store --to /etc/llmagentos/store.json'

describe('a cluster whose store is on the disk of one machine, and that is given Ceph later', () => {
  let lab: Lab
  let ada: Operator
  let task = ''

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'migrate', nodes: NODES })
    for (const node of lab.nodes) await node.addDisk()
    ada = await operator(lab, wanted(''))
    await programsAtHand(ada.folder)
  }, 15 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'goes on with its store where it is, and is told how to move it',
    async () => {
      await up()
      for (const [name, size] of Object.entries(OBJECTS)) {
        writeFileSync(file(name), randomBytes(size))
        expect(await ada.cli('data', 'put', file(name), '--name', name)).toMatchObject({ code: 0 })
      }
      writeFileSync(file('birds.md'), '# Birds\n\nThe kingfisher of the weir eats sticklebacks.\n')
      expect(await ada.cli('kb', 'add', file('birds.md'), '--kb', 'birds')).toMatchObject({ code: 0 })
      const submitted = await ada.cli('task', 'submit', '--json', 'how do I add a node?')
      task = (JSON.parse(submitted.stdout) as { task: { id: string } }).task.id
      expect(await ada.cli('task', 'watch', task)).toMatchObject({ code: 0 })
      ada.write(wanted(CEPH))
      await up()
      const status = await ada.cli('cluster', 'status')
      expect(status.stdout).toContain('The store is on the disk of n1 alone (one copy)')
      expect(status.stdout).toContain(MOVE)
      await same()
    },
    25 * MINUTES,
  )

  test(
    'has everything in Ceph after the move, also when the move was killed in the middle, and nothing is missing',
    async () => {
      const n1 = lab.node('n1')
      await n1.run('systemctl stop llmagentos-data.service')
      // Killed as soon as something lies in Ceph that is not yet everything.
      const killed = await n1.ssh(['sh', '-c', `timeout -s KILL 2.5 ${MOVE}`])
      process.stdout.write(`the first move ended with ${killed.code}: ${killed.stdout}${killed.stderr}\n`)
      expect(killed.code).toBe(137)
      expect((await n1.ssh(['test', '-e', '/var/lib/llmagentos-data/store/moved.json'])).code).toBe(1)
      expect(await n1.run(MOVE)).toContain('Moved and compared: ')
      expect(await n1.run(MOVE)).toContain('Nothing was done.')
      await up()
      const status = await ada.cli('cluster', 'status')
      expect(status.stdout).toContain('The store is object storage, at n1.')
      for (const name of NODES)
        expect(await lab.node(name).run('systemctl is-active llmagentos-data.service')).toBe('active\n')
      await same()
    },
    20 * MINUTES,
  )

  test(
    'has nothing more to do, and keeps its data while the machine that had the store is gone',
    async () => {
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
      await lab.node('n1').kill()
      await vi.waitFor(sameData, { timeout: 3 * MINUTES, interval: 2_000 })
      // There is one task service, and it is on this machine.
      await lab.node('n1').start()
      await vi.waitFor(same, { timeout: 3 * MINUTES, interval: 2_000 })
    },
    10 * MINUTES,
  )

  const wanted = (more: string) =>
    clusterYaml(lab, {
      roles: Object.fromEntries(NODES.map(name => [name, 'control, storage'])),
      extra: Object.fromEntries(
        NODES.map(name => [name, ', disks: [{id: virtio-lab-vdb}], memory: {reserve: 8GiB}']),
      ),
      more: `components:\n${more}  runtime: {}\n`,
    })
  const file = (name: string) => join(ada.folder, name)
  const up = async () => {
    const ran = await ada.cli('cluster', 'up', '--yes')
    expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: 0 })
  }
  const sameData = async () => {
    for (const name of Object.keys(OBJECTS)) {
      const got = await ada.cli('data', 'get', name, '--out', file('got'))
      expect(got, got.stderr).toMatchObject({ code: 0 })
      expect(readFileSync(file('got')).equals(readFileSync(file(name)))).toBe(true)
    }
    const found = await ada.cli('kb', 'search', 'what does the kingfisher eat?', '--kb', 'birds')
    expect(found, found.stderr).toMatchObject({ code: 0 })
    expect(found.stdout).toContain('sticklebacks')
  }
  const same = async () => {
    await sameData()
    const shown = await ada.cli('task', 'show', task)
    expect(shown, shown.stderr).toMatchObject({ code: 0 })
    expect(shown.stdout).toContain('done')
  }
})
