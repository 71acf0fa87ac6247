import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { askingAt } from './asking.ts'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab } from './lab.ts'
import { programsAtHand } from './programs.ts'
import { leftOf, serialsOf } from './tend/look.ts'

storiesOfTheLab()

const MINUTES = 60_000
const ALONE_MS = 15 * MINUTES
const LIFE_S = 240
const SAMPLE_MS = 5_000
const PER_SECOND = 20

describe('certificates of four minutes on three machines with brokers and services', () => {
  let lab: Lab
  let ada: Operator

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'tend-long', nodes: 3 })
    const more = `components:\n  secrets: {certificates: {life: ${LIFE_S}s}}\n  rabbitmq: {}\n  runtime: {}\n`
    ada = await operator(lab, clusterYaml(lab, { more }))
    await programsAtHand(ada.folder)
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'are valid for fifteen minutes without the CLI, and of twenty questions a second through the gateways none fails',
    async () => {
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
      const began = performance.now()
      // Each question is a connection of its own, so the gateway shows its certificate each time; no two are alike, so that no cache answers.
      const loads = lab.nodes.map(({ name, address }) =>
        askingAt({
          url: `https://${address}:7420`,
          folder: ada.folder,
          deadlineMs: 10_000,
          question: n => `how do I add a node? (${name} ${n})`,
        }).at({ perSecond: PER_SECOND / lab.nodes.length }),
      )
      const looked = await watched(lab, ALONE_MS)
      const answers = (await Promise.all(loads.map(load => load.stop()))).flat()
      const seconds = (performance.now() - began) / 1000
      const failed = answers.filter(({ status }) => status !== 200)
      process.stdout.write(
        `${JSON.stringify({
          asked: answers.length,
          perSecond: Math.round((answers.length / seconds) * 10) / 10,
          failed: failed.length,
          slowestMs: Math.round(Math.max(...answers.map(({ ms }) => ms))),
          renewals: Object.fromEntries([...looked.serials].map(([key, seen]) => [key, seen.size - 1])),
          lowestS: Object.fromEntries(looked.lowest),
          gapS: Math.round(looked.gapS),
        })}\n`,
      )
      expect(failed.slice(0, 5)).toEqual([])
      expect(answers.length / seconds).toBeGreaterThan(PER_SECOND * 0.95)
      for (const [key, left] of looked.lowest) expect(left, key).toBeGreaterThan(0)
      for (const [key, seen] of looked.serials) expect(seen.size, key).toBeGreaterThanOrEqual(5)
      // How often it is looked depends on the machine; a renewal is due for longer than between two looks.
      expect(looked.gapS).toBeLessThan(LIFE_S / 3)
      // Between two renewals, which are the machines' own, there is nothing to do.
      await vi.waitFor(
        async () => expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 }),
        { timeout: 2 * LIFE_S * 1000, interval: 2_000 },
      )
    },
    ALONE_MS + 20 * MINUTES,
  )
})

interface Looked {
  /** By node and certificate: the fewest seconds that were left, and every serial. */
  lowest: Map<string, number>
  serials: Map<string, Set<string>>
  /** Longest time between two looks. */
  gapS: number
}

async function watched(lab: Lab, forMs: number): Promise<Looked> {
  const looked: Looked = { lowest: new Map(), serials: new Map(), gapS: 0 }
  let last = performance.now()
  for (const until = last + forMs; performance.now() < until; ) {
    await Promise.all(lab.nodes.map(node => look(node, looked)))
    looked.gapS = Math.max(looked.gapS, (performance.now() - last) / 1000)
    last = performance.now()
    await sleep(SAMPLE_MS)
  }
  return looked
}

async function look(node: LabNode, { lowest, serials }: Looked): Promise<void> {
  for (const [name, left] of Object.entries(await leftOf(node))) {
    const key = `${node.name} ${name}`
    lowest.set(key, Math.min(lowest.get(key) ?? Number.POSITIVE_INFINITY, left))
  }
  for (const [name, serial] of Object.entries(await serialsOf(node))) {
    const key = `${node.name} ${name}`
    serials.set(key, (serials.get(key) ?? new Set()).add(serial))
  }
}
