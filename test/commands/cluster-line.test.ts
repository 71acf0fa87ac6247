import { request } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ask, type Frame } from '../../src/contracts/ask.ts'
import { Client } from '../../src/runtime/client/index.ts'
import { Secret } from '../../src/secret.ts'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { askOnce } from '../helpers/many-asks.ts'
import { type OllamaStandIn, startOllamaStandIn } from '../helpers/ollama-stand-in/index.ts'

const WORDS = { tokens: Array(5).fill('word '), everyMs: 20 }
const ENDLESS = { tokens: Array(5000).fill('word '), everyMs: 20 }

/** A cluster with one slot, so that two questions are with its worker and the others wait in llm. */
async function busyCluster(): Promise<{ cluster: Cluster; ollama: OllamaStandIn }> {
  const ollama = await startOllamaStandIn({ models: { llama: WORDS } })
  onTestFinished(() => ollama.stop())
  const cluster = await startCluster({ ollama: ollama.url, slots: 1 })
  onTestFinished(() => cluster.stop())
  return { cluster, ollama }
}

function asker(cluster: Cluster): { frames(): AsyncGenerator<Frame>; leave(): void } {
  const gone = new AbortController()
  const client = new Client({ urls: [cluster.url], key: new Secret(cluster.key), signal: gone.signal })
  onTestFinished(() => client.close())
  return {
    frames: () => client.lines<Frame>(ask, { body: { question: 'count', kb: [], stream: true } }),
    leave: () => gone.abort(),
  }
}

/** A figure of llm, the sum over its labels. */
async function figure(cluster: Cluster, name: string): Promise<number> {
  const socketPath = join(cluster.folder, 'run/llmagentos/local/llm.sock')
  const text = await new Promise<string>((resolve, reject) => {
    const asked = request({ socketPath, path: '/metrics' }, async reply => {
      let all = ''
      for await (const piece of reply.setEncoding('utf8')) all += piece
      resolve(all)
    })
    asked.once('error', reject).end()
  })
  return [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'gm'))].reduce(
    (n, m) => n + Number(m[1]),
    0,
  )
}

test('twenty questions at once with one slot are all answered', { timeout: 60_000 }, async () => {
  const { cluster } = await busyCluster()
  const asked = await Promise.all(Array.from({ length: 20 }, () => askOnce(cluster)))
  expect(asked.map(a => a.status)).toEqual(Array(20).fill(200))
  expect(asked.every(a => a.body.answer?.startsWith('word'))).toBe(true)
  expect(await figure(cluster, 'llmagentos_llm_wait_seconds_count')).toBeGreaterThanOrEqual(20)
  expect(await figure(cluster, 'llmagentos_llm_waiting')).toBe(0)
})

test('whoever waits hears each second where it stands, and leaves the line by going away', {
  timeout: 60_000,
}, async () => {
  const { cluster, ollama } = await busyCluster()
  ollama.set('llama', ENDLESS)
  const crowd = Array.from({ length: 5 }, () => asker(cluster))
  const said: Frame[][] = crowd.map(() => [])
  const ended = crowd.map(async (one, i) => {
    try {
      for await (const frame of one.frames()) said[i]!.push(frame)
      return 'done'
    } catch {
      return 'gone'
    }
  })
  const waiting = (n: number) =>
    vi.waitFor(async () => expect(await figure(cluster, 'llmagentos_llm_waiting')).toBe(n), 10_000)
  await waiting(3)
  const last = () => said.map(frames => frames.findLast(f => f.type === 'state' && f.state === 'queued'))
  await vi.waitFor(() => expect(last().filter(f => f !== undefined)).toHaveLength(4), 5_000)
  const positions = last().map(f => (f && 'position' in f ? f.position : 0))
  expect(positions.toSorted()).toEqual([0, 1, 2, 3, 4])

  crowd[positions.indexOf(2)]!.leave()
  await waiting(2)
  const rear = said[positions.indexOf(4)]!
  await vi.waitFor(() => expect(rear.at(-1)).toEqual({ type: 'state', state: 'queued', position: 3 }), 5_000)

  for (const one of crowd) one.leave()
  expect(await Promise.all(ended)).toEqual(Array(5).fill('gone'))
  await waiting(0)
  await vi.waitFor(() => expect(ollama.live()).toBe(0), 10_000)
  ollama.set('llama', WORDS)
  expect((await askOnce(cluster)).status).toBe(200)
})
