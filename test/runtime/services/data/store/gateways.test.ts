import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { expect, onTestFinished, test } from 'vitest'
import { silent } from '../../../../../src/log.ts'
import { Gateways } from '../../../../../src/runtime/services/data/store/s3/gateways.ts'
import { tempFolder } from '../../../../helpers/temp.ts'

/** Stand-ins: what a gateway of a real Ceph does is seen in test/lab/store.test.ts. */
type StandIn = RequestListener & { asked?: number }

const quick: StandIn = (_, reply) => reply.end('here')
const silentOne: StandIn = () => {}
const busy: StandIn = (_, reply) =>
  reply.writeHead(503).end('<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>')
const refusing: StandIn = (_, reply) =>
  reply.writeHead(403).end('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')

test('one that is busy is left at once for the next', async () => {
  const { ask, asked } = await gateways([busy, quick])
  expect(await ask()).toMatchObject({ value: 'here', unclear: true })
  expect(asked()).toEqual([1, 1])
})

test('a request that was sent once is clear', async () => {
  const { ask, asked } = await gateways([quick, busy])
  expect(await ask()).toMatchObject({ value: 'here', unclear: false })
  expect(asked()).toEqual([1, 0])
})

test('nobody waits twice for one that is silent', async () => {
  const { ask, asked } = await gateways([silentOne, quick])
  expect(await ask(200)).toMatchObject({ value: 'here' })
  for (let i = 0; i < 5; i++) expect(await ask(200)).toMatchObject({ value: 'here', unclear: false })
  expect(asked()).toEqual([1, 6])
})

test('one that refuses connections is left at once, and used again when it is back', async () => {
  const { ask, asked, close, open } = await gateways([quick, quick])
  await close(0)
  const began = performance.now()
  expect(await ask()).toMatchObject({ value: 'here' })
  expect(performance.now() - began).toBeLessThan(1000)
  await open(0)
  await expect.poll(async () => (await ask()) && asked()[0], { timeout: 10_000 }).toBeGreaterThan(1)
})

test('while one is silent, one that is busy is asked again in growing pauses, and not without end', async () => {
  const { ask, asked } = await gateways([silentOne, busy], 2000)
  await expect(ask(100)).rejects.toMatchObject({
    status: 503,
    code: 'store_away',
    message: expect.stringMatching(/could not try within 2 s: .+/),
  })
  expect(asked()[1]).toBeGreaterThan(2)
  expect(asked()[1]).toBeLessThan(10)
})

test('a refusal of what was asked is not repeated', async () => {
  const { ask, asked } = await gateways([refusing, quick])
  await expect(ask()).rejects.toMatchObject({ name: 'AccessDenied' })
  expect(asked()).toEqual([1, 0])
})

test('a store that is closed ends its requests', async () => {
  const { ask, all } = await gateways([silentOne])
  const asked = ask(50)
  setTimeout(() => all.close(), 100)
  await expect(asked).rejects.toThrow('closed')
})

async function gateways(standIns: StandIn[], deadlineMs?: number) {
  const counts = standIns.map(() => 0)
  const servers = standIns.map((standIn, i) =>
    createServer((request, reply) => {
      counts[i]!++
      standIn(request, reply)
    }),
  )
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ports.push((server.address() as AddressInfo).port)
  }
  const close = async (i: number) => {
    servers[i]!.closeAllConnections()
    servers[i]!.close()
    if (servers[i]!.listening) await once(servers[i]!, 'close')
  }
  const secretKeyFile = join(tempFolder(), 'key')
  writeFileSync(secretKeyFile, 'secret')
  const endpoints = ports.map(port => ({ host: '127.0.0.1', port }))
  const buckets = { tasks: 'tasks', data: 'data', kb: 'kb0', sys: 'sys' }
  const config = { endpoints, buckets, accessKey: 'data', secretKeyFile }
  const all = new Gateways(config, { log: silent, deadlineMs })
  onTestFinished(async () => {
    all.close()
    await Promise.all(servers.map((_, i) => close(i)))
  })
  return {
    all,
    close,
    open: async (i: number) => void (await once(servers[i]!.listen(ports[i], '127.0.0.1'), 'listening')),
    asked: () => [...counts],
    ask: (patienceMs?: number) =>
      all.ask({ says: 'try', patienceMs }, async (client, abortSignal) => {
        const command = new GetObjectCommand({ Bucket: 'data', Key: 'x' })
        const { Body } = await client.send(command, { abortSignal })
        return Body!.transformToString()
      }),
  }
}
