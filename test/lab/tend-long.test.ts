import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lacks, storiesOfTheLab } from './here.ts'
import { done, TendBench } from './tend/bench.ts'
import { WORKER_PORT } from './tend/tended.ts'

storiesOfTheLab()

const MINUTES = 60_000
const ALONE_MS = 15 * MINUTES
const LIFE_S = 240
const SAMPLE_MS = 5_000

// Each question is a connection of its own, so both sides show their certificates each time.
const ASKING = `while :; do
  curl -sS --max-time 10 --resolve "$1.halle.internal:${WORKER_PORT}:$2" --cacert /etc/llmagentos/ca.crt \\
    --cert /etc/llmagentos/tls/worker.crt --key /etc/llmagentos/tls/worker.key -o /dev/null -w '%{http_code}\\n' \\
    "https://$1.halle.internal:${WORKER_PORT}/healthz" >>/run/asked 2>&1
  sleep 0.2
done`

describe('certificates of four minutes on three nodes (our services, without RabbitMQ)', () => {
  let bench: TendBench

  beforeAll(async () => {
    if (!lacks) bench = await TendBench.open({ name: 'tend-long', life: `${LIFE_S}s` })
  }, 10 * MINUTES)
  afterAll(() => bench?.close(), 2 * MINUTES)

  test(
    'are valid for fifteen minutes without the CLI, and no connection under them fails',
    async () => {
      done(await bench.up())
      const before = await bench.each(node => bench.serials(node))
      await bench.each(node => {
        const to = bench.nodes[(bench.nodes.indexOf(node) + 1) % bench.nodes.length]!
        return node.ssh([
          'systemd-run',
          '--quiet',
          '--unit=story-ask',
          'sh',
          '-c',
          ASKING,
          'sh',
          to.name,
          to.address,
        ])
      })
      const lowest = new Map<string, number>()
      const seen = new Map<string, Set<string>>()
      let samples = 0
      let last = Date.now()
      let gapS = 0
      for (const until = Date.now() + ALONE_MS; Date.now() < until; samples++) {
        await bench.each(async node => {
          for (const [name, left] of Object.entries(await bench.left(node))) {
            const key = `${node.name} ${name}`
            lowest.set(key, Math.min(lowest.get(key) ?? Number.POSITIVE_INFINITY, left))
          }
          for (const line of (await bench.serials(node)).trim().split('\n'))
            seen.set(node.name, (seen.get(node.name) ?? new Set()).add(line))
        })
        for (const [key, left] of lowest) expect(left, key).toBeGreaterThan(0)
        gapS = Math.max(gapS, (Date.now() - last) / 1000)
        last = Date.now()
        await sleep(SAMPLE_MS)
      }
      const asked = await bench.each(node => node.run('systemctl stop story-ask; sort /run/asked | uniq -c'))
      const counts = asked.map(text => text.trim().split(/\s+/))
      process.stdout.write(
        JSON.stringify({
          samples,
          gapS,
          lowest: Object.fromEntries(lowest),
          seen: [...seen.values()].map(s => s.size),
          asked: counts,
        }),
      )
      for (const words of counts) {
        expect(words, words.join(' ')).toHaveLength(2)
        expect(words[1]).toBe('200')
        expect(Number(words[0])).toBeGreaterThan(500)
      }
      // How often it is looked depends on the machine; a renewal is due for longer than between two looks.
      expect(gapS).toBeLessThan(LIFE_S / 3)
      // Three names a node, each renewed at least four times.
      for (const serials of seen.values()) expect(serials.size).toBeGreaterThanOrEqual(3 * 5)
      const now = await bench.each(node => bench.serials(node))
      expect(now).not.toEqual(before)
      await bench.quiet(LIFE_S)
      expect(done(await bench.up())).toEqual([])
    },
    ALONE_MS + 10 * MINUTES,
  )
})
