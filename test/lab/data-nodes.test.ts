import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { getObject, putObject } from '../../src/contracts/objects.ts'
import { openClient } from '../../src/runtime/index.ts'
import { homeIn } from '../helpers/cli.ts'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { digest } from './data/acts.ts'
import { startChatter } from './data/chatter.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { programsAtHand } from './programs.ts'

storiesOfTheLab()

const MINUTES = 60_000
const NODES = ['n1', 'n2', 'n3']
const OBJECTS = 10_000
const WRITERS = 8
/** Two minutes with all machines and ten while they go, over all writers. */
const PACE_MS = (12.5 * MINUTES * WRITERS) / OBJECTS
/** The first questions of a client, and of services that have just started, compile what they run. */
const WARM_MS = 10_000
/** What began before may still be under way, and each write has 35 seconds to end. */
const STOPPED_MS = 5_000
const DOWN_MS = 80_000

describe('10,000 objects in ten minutes while one machine of three at a time is killed or cut off', () => {
  let lab: Lab
  let ada: Operator

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ nodes: NODES })
    for (const node of lab.nodes) await node.addDisk('20G')
    const each = <T>(what: T) => Object.fromEntries(NODES.map(name => [name, what]))
    const more = `components:
  ceph: {source: distro, allowEndOfLife: true, osd: {backend: raw}}
  rabbitmq: {}
  runtime: {}
`
    const extra = each(', disks: [{id: virtio-lab-vdb}], memory: {reserve: 8GiB}')
    ada = await operator(lab, clusterYaml(lab, { roles: each('control, storage'), extra, more }))
    await programsAtHand(ada.folder)
    const up = await ada.cli('cluster', 'up', '--yes')
    expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
  }, 30 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'none that was acknowledged is lost or altered, none fails, and a chat beside it never waits for the store',
    async () => {
      const said: Said = { acknowledged: new Map(), failed: [], tookMs: [] }
      const chatter = await startChatter(ada.folder)
      await sleep(WARM_MS)
      const quietMs = Date.now()
      await sleep(2 * MINUTES)
      const writeMs = Date.now()
      let done = false
      const writing = Promise.all(Array.from({ length: WRITERS }, (_, of) => writer(of, said))).finally(
        () => {
          done = true
        },
      )
      await sleep(2 * MINUTES)
      const faultsMs = Date.now()
      await faults(() => done)
      await writing
      const doneMs = Date.now()
      await chatter.stop()
      const [quiet, together, busy] = [
        chatter.between(quietMs, writeMs),
        chatter.between(writeMs, faultsMs),
        chatter.between(faultsMs, doneMs),
      ]
      const p99 = (chats: typeof quiet) =>
        percentile(
          chats.map(({ ms }) => ms),
          0.99,
        )
      const failed = [...together, ...busy].filter(chat => chat.failed)
      process.stdout.write(
        `objects: ${said.acknowledged.size} acknowledged, ${said.failed.length} failed, p99 ${percentile(said.tookMs, 0.99)} ms; ` +
          `chat p99 ${[quiet, together, busy].map(p99).join(', ')} ms: alone, beside writes, while machines go; ` +
          `${failed.length} of ${together.length + busy.length} failed\n`,
      )
      await well()
      expect(await altered(said.acknowledged)).toEqual([])
      expect(said.failed).toEqual([])
      expect(said.acknowledged.size).toBe(OBJECTS)
      expect(percentile(said.tookMs, 0.99)).toBeLessThan(35_000)
      expect(failed).toEqual([])
      // The writes take their part of the processors, whether or not a machine is away.
      expect(p99(busy)).toBeLessThan(1.5 * p99(together))
    },
    60 * MINUTES,
  )

  test(
    'with two machines down writes end with an error and none that was acknowledged is lost; all is well again without an operator',
    async () => {
      const own = await client()
      const acknowledged = new Map<string, string>()
      const ends: { begunMs: number; tookMs: number; ok: boolean }[] = []
      let over = false
      const began = performance.now()
      const writers = Promise.all(
        [0, 1, 2, 3].map(async of => {
          for (let i = 0; !over; i++) {
            const begunMs = performance.now() - began
            const [name, bytes] = [`two-down/${of}-${i}`, randomBytes(2_000)]
            const ok = await put(own, name, bytes).then(
              () => true,
              () => false,
            )
            if (ok) acknowledged.set(name, digest(bytes))
            ends.push({ begunMs, tookMs: performance.now() - began - begunMs, ok })
            await sleep(250)
          }
        }),
      )
      await sleep(5_000)
      const two = [lab.node('n2'), lab.node('n3')]
      await Promise.all(two.map(node => node.kill()))
      const killedMs = performance.now() - began
      await sleep(DOWN_MS)
      over = true
      await writers
      expect(acknowledged.size).toBeGreaterThan(0)
      const later = ends.filter(end => end.begunMs > killedMs + STOPPED_MS)
      expect(later.length).toBeGreaterThan(0)
      expect(later.filter(end => end.ok)).toEqual([])
      expect(Math.max(...ends.map(end => end.tookMs))).toBeLessThan(MINUTES)
      await Promise.all(two.map(node => node.start()))
      await well()
      await put(own, 'two-down/after', randomBytes(2_000))
      await own.close()
      expect(await altered(acknowledged)).toEqual([])
    },
    20 * MINUTES,
  )

  const client = () =>
    openClient({ env: homeIn(ada.folder), signal: AbortSignal.timeout(60 * MINUTES) } as Around)

  const put = (by: Awaited<ReturnType<typeof client>>, name: string, bytes: Buffer) =>
    by.call(putObject, {
      params: { '*': name },
      query: { sha256: digest(bytes) },
      upload: bytes,
      headers: OCTETS,
    })

  /** In a process of its own, which takes nothing of the time of this one. */
  const well = () =>
    vi.waitFor(
      async () => {
        const status = await ada.start('cluster', 'status').ended
        expect(status, status.stdout + status.stderr).toMatchObject({ code: 0 })
      },
      { timeout: 5 * MINUTES, interval: 5_000 },
    )

  async function writer(of: number, { acknowledged, failed, tookMs }: Said) {
    const own = await client()
    for (let i = of; i < OBJECTS; i += WRITERS) {
      const [name, bytes] = [`faults/${i}`, randomBytes(200 + (i % 50) * 1000)]
      const began = performance.now()
      await put(own, name, bytes).then(
        () => acknowledged.set(name, digest(bytes)),
        thrown => failed.push(`${name}: ${thrown}`),
      )
      tookMs.push(performance.now() - began)
      await sleep(Math.max(0, PACE_MS - (performance.now() - began)))
    }
    await own.close()
  }

  /** Each node in its turn, by power and by cable, and well again before the next: two at a time is another matter. */
  async function faults(over: () => boolean) {
    for (let turn = 0; !over(); turn++) {
      const node = lab.node(NODES[turn % NODES.length]!)
      if (turn % 2) node.cut()
      else await node.kill()
      await sleep(40_000)
      if (turn % 2) node.heal()
      else await node.start()
      await well()
    }
  }

  async function altered(acknowledged: Map<string, string>): Promise<string[]> {
    const own = await client()
    const wrong: string[] = []
    for (const [name, sha256] of acknowledged) {
      const reply = await own.raw(getObject, { params: { '*': name }, query: {} })
      if (digest(await buffer(reply.body)) !== sha256) wrong.push(name)
    }
    await own.close()
    return wrong
  }
})

interface Said {
  acknowledged: Map<string, string>
  failed: string[]
  tookMs: number[]
}

type Around = Parameters<typeof openClient>[0]

const OCTETS = { 'content-type': 'application/octet-stream' }

const percentile = (all: number[], part: number) =>
  Math.round(all.toSorted((x, y) => x - y)[Math.floor(all.length * part)] ?? 0)
