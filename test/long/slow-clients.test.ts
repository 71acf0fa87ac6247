import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../helpers/cluster.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.stop())

const MANY = 200

test(`${MANY} clients that send a header each second are cut, and others are served meanwhile`, async () => {
  const slow = await Promise.all(
    Array.from({ length: MANY }, () => dripping('GET /healthz HTTP/1.1\r\nHost: x\r\n', 'X-A: 1\r\n')),
  )
  await served()
  for (const s of slow) expect(await s.end).toMatch(/^HTTP\/1\.1 408 /)
  expect(Math.max(...slow.map(s => s.ms()))).toBeLessThan(20_000)
}, 60_000)

test(`${MANY} clients that send a body byte by byte are cut, and others are served meanwhile`, async () => {
  const head = (key: string) =>
    `POST /api/v1/ask HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`
  const slow = await Promise.all(Array.from({ length: MANY }, () => dripping(head(cluster.key), ' ')))
  const without = await dripping(head('lao_none'), ' ')
  await served()
  expect(await without.end).toMatch(/^HTTP\/1\.1 401 /)
  expect(without.ms()).toBeLessThan(15_000)
  for (const s of slow) expect(await s.end).toMatch(/^HTTP\/1\.1 408 /)
  expect(Math.max(...slow.map(s => s.ms()))).toBeLessThan(45_000)
}, 90_000)

test('a client that reads nothing of its answer does not fill our memory', async () => {
  const socket = await opened()
  socket.pause()
  const asked = `GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n`
  for (let n = 0; n < 200; n++) socket.write(asked.repeat(20))
  await sleep(2_000)
  await served()
  socket.destroy()
  expect((await cluster.run('cluster', 'status')).code).toBe(0)
})

async function served(): Promise<void> {
  const began = performance.now()
  expect((await cluster.run('ask', 'how do I add a node?')).code).toBe(0)
  expect(performance.now() - began).toBeLessThan(10_000)
}

async function opened(): Promise<Socket> {
  const socket = connect(Number(new URL(cluster.url).port), '127.0.0.1')
  await once(socket, 'connect')
  return socket.on('error', () => {})
}

/** Sends `first` at once and `drop` each second; `end` is all that came until the connection was closed. */
async function dripping(first: string, drop: string) {
  const socket = await opened()
  const began = performance.now()
  let text = ''
  let ended = 0
  const timer = setInterval(() => socket.write(drop), 1_000)
  socket.setEncoding('utf8').on('data', piece => {
    text += piece
  })
  const end = once(socket, 'close').then(() => {
    clearInterval(timer)
    ended = performance.now()
    return text
  })
  socket.write(first)
  return { end, ms: () => ended - began }
}
