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
const MIB = 1024 * 1024

describe('three machines with a disk each, whose services keep what must last in Ceph', () => {
  let lab: Lab
  let ada: Operator

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'cluster-s3', nodes: NODES })
    for (const node of lab.nodes) await node.addDisk()
    const each = <T>(what: T) => Object.fromEntries(NODES.map(name => [name, what]))
    ada = await operator(
      lab,
      clusterYaml(lab, {
        roles: each('control, storage'),
        extra: each(', disks: [{id: virtio-lab-vdb}], memory: {reserve: 8GiB}'),
        more: `components:
  ceph: {source: distro, allowEndOfLife: true, osd: {backend: raw}}
  rabbitmq: {}
  runtime: {}
`,
      }),
    )
    await programsAtHand(ada.folder)
  }, 15 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'become a cluster, in which no disk of one machine holds a store',
    async () => {
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
      for (const name of NODES) {
        expect(up.stdout + up.stderr).toContain(`The gateway of ${name} answered a question`)
        expect(await lab.node(name).run('systemctl is-active llmagentos-data.service')).toBe('active\n')
        expect((await lab.node(name).ssh(['test', '-e', '/var/lib/llmagentos-data/store'])).code).toBe(1)
      }
      const status = await ada.cli('cluster', 'status')
      expect(status.stdout).toContain('The store is object storage, at n1.')
    },
    20 * MINUTES,
  )

  test(
    'have nothing to do the second time, and are written nothing',
    async () => {
      const before = await held()
      const again = await ada.cli('cluster', 'up')
      expect(again, again.stderr).toMatchObject({ code: 0 })
      expect(again.stdout).toContain('Nothing was changed.')
      expect(await held()).toEqual(before)
    },
    3 * MINUTES,
  )

  test.each(NODES)(
    'answer, and give and take objects, while %s is gone, and are well again when it is back, without an operator',
    async name => {
      const [first, second] = [`before-${name}`, `without-${name}`]
      await stored(first)
      const accepted = await submitted()
      await lab.node(name).kill()
      const began = performance.now()
      await answers()
      const answeredMs = Math.round(performance.now() - began)
      await vi.waitFor(() => stored(second), { timeout: 2 * MINUTES, interval: 1_000 })
      process.stdout.write(
        `${name}: answers after ${answeredMs} ms, stored after ${Math.round(performance.now() - began)} ms\n`,
      )
      await same(first)
      await same(second)
      // The one dispatcher of tasks is on n1.
      if (name !== 'n1') await ended(await submitted())
      await lab.node(name).start()
      await well()
      for (const one of [first, second]) await same(one)
      await ended(accepted)
      await ended(await submitted())
    },
    12 * MINUTES,
  )

  const held = () => Promise.all(lab.nodes.map(node => node.files()))
  const file = (name: string) => join(ada.folder, name)
  const stored = async (name: string) => {
    writeFileSync(file(name), randomBytes(3 * MIB))
    const put = await ada.cli('data', 'put', file(name), '--name', name, '--replace')
    expect(put, put.stderr).toMatchObject({ code: 0 })
  }
  const same = async (name: string) => {
    const got = await ada.cli('data', 'get', name, '--out', file('got'))
    expect(got, got.stderr).toMatchObject({ code: 0 })
    expect(readFileSync(file('got')).equals(readFileSync(file(name)))).toBe(true)
  }
  const answers = () =>
    vi.waitFor(async () => expect(await ada.cli('ask', 'how do I add a node?')).toMatchObject({ code: 0 }), {
      timeout: 2 * MINUTES,
      interval: 500,
    })
  const well = () =>
    vi.waitFor(async () => expect(await ada.cli('cluster', 'status')).toMatchObject({ code: 0 }), {
      timeout: 5 * MINUTES,
      interval: 2_000,
    })
  const submitted = async () => {
    const task = await ada.cli('task', 'submit', '--json', 'how do I add a node?')
    expect(task, task.stderr).toMatchObject({ code: 0 })
    return (JSON.parse(task.stdout) as { task: { id: string } }).task.id
  }
  const ended = async (id: string) => {
    const watched = await ada.cli('task', 'watch', id)
    expect(watched, watched.stderr).toMatchObject({ code: 0 })
  }
})
