import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ask } from '../../src/contracts/ask.ts'
import { getObject, putObject } from '../../src/contracts/objects.ts'
import { openClient } from '../../src/runtime/index.ts'
import { homeIn } from '../helpers/cli.ts'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { digest } from './data/acts.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { programsAtHand } from './programs.ts'

storiesOfTheLab()

const MINUTES = 60_000
const NODES = ['n1', 'n2', 'n3']
const OBJECTS = 10_000
const WRITERS = 8
/** Ten minutes and somewhat more, over all writers. */
const PACE_MS = (10.5 * MINUTES * WRITERS) / OBJECTS

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
    'none that was acknowledged is lost or altered, and a chat beside it never waits for the store',
    async () => {
      const acknowledged = new Map<string, string>()
      const failed: string[] = []
      const tookMs: number[] = []
      const quiet = await chatted(2 * MINUTES, () => false)
      let done = false
      const chat = chatted(30 * MINUTES, () => done)
      const writing = Promise.all(
        Array.from({ length: WRITERS }, (_, of) => writer(of, { acknowledged, failed, tookMs })),
      ).finally(() => {
        done = true
      })
      await faults(() => done)
      await writing
      const busy = await chat
      await vi.waitFor(async () => expect(await ada.cli('cluster', 'status')).toMatchObject({ code: 0 }), {
        timeout: 5 * MINUTES,
        interval: 5_000,
      })
      process.stdout.write(
        `objects: ${acknowledged.size} acknowledged, ${failed.length} failed, p99 ${percentile(tookMs, 0.99)} ms; ` +
          `chat p99 ${percentile(quiet.tookMs, 0.99)} ms quiet, ${percentile(busy.tookMs, 0.99)} ms busy, ${busy.failed.length} failed\n`,
      )
      expect(await altered(acknowledged)).toEqual([])
      expect(failed).toEqual([])
      expect(acknowledged.size).toBe(OBJECTS)
      expect(percentile(tookMs, 0.99)).toBeLessThan(35_000)
      expect(busy.failed).toEqual([])
    },
    60 * MINUTES,
  )

  const client = () =>
    openClient({ env: homeIn(ada.folder), signal: AbortSignal.timeout(60 * MINUTES) } as Around)

  async function writer(
    of: number,
    said: { acknowledged: Map<string, string>; failed: string[]; tookMs: number[] },
  ) {
    const own = await client()
    for (let i = of; i < OBJECTS; i += WRITERS) {
      const [name, bytes] = [`faults/${i}`, randomBytes(200 + (i % 50) * 1000)]
      const began = performance.now()
      await own
        .call(putObject, {
          params: { '*': name },
          query: { sha256: digest(bytes) },
          upload: bytes,
          headers: OCTETS,
        })
        .then(
          () => said.acknowledged.set(name, digest(bytes)),
          thrown => said.failed.push(`${name}: ${thrown}`),
        )
      said.tookMs.push(performance.now() - began)
      await sleep(Math.max(0, PACE_MS - (performance.now() - began)))
    }
    await own.close()
  }

  /** Each node in its turn, by power and by cable, and well again before the next. */
  async function faults(over: () => boolean) {
    for (let turn = 0; !over(); turn++) {
      const node = lab.node(NODES[turn % NODES.length]!)
      if (turn % 2) node.cut()
      else await node.kill()
      await sleep(40_000)
      if (turn % 2) node.heal()
      else await node.start()
      await sleep(40_000)
    }
  }

  async function chatted(ms: number, over: () => boolean) {
    const own = await client()
    const said = { tookMs: [] as number[], failed: [] as string[] }
    const body = { messages: [{ role: 'user' as const, content: 'good morning' }], kb: [] }
    for (const end = Date.now() + ms; Date.now() < end && !over(); await sleep(250)) {
      const began = performance.now()
      await own.call(ask, { body }).catch(thrown => said.failed.push(String(thrown)))
      said.tookMs.push(performance.now() - began)
    }
    await own.close()
    return said
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

type Around = Parameters<typeof openClient>[0]

const OCTETS = { 'content-type': 'application/octet-stream' }

const percentile = (all: number[], part: number) =>
  Math.round(all.toSorted((x, y) => x - y)[Math.floor(all.length * part)] ?? 0)
