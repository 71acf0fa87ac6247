import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { silent } from '../../../src/log.ts'
import { Metrics } from '../../../src/runtime/metrics.ts'
import { buildApp } from '../../../src/runtime/server/app.ts'
import { takeBytes } from '../../../src/runtime/server/upload.ts'
import { Peer } from '../../../src/runtime/transport.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** Hands an upload on, as the gateway does, to whoever refuses it at its first bytes. */
async function refusingPath() {
  const folder = tempFolder()
  const behind = createServer((_req, res) => res.writeHead(409).end('{}'))
  await new Promise<void>(resolve => behind.listen(join(folder, 'b'), resolve))
  const onward = new Peer('behind', { socket: join(folder, 'b') })
  const app = buildApp({ log: silent, metrics: new Metrics('gateway') })
  takeBytes(app)
  app.put('/x', async (req, reply) => {
    const answer = await onward.request({ method: 'PUT', path: '/', body: req.body as Readable })
    return reply.code(answer.status).send(answer.body)
  })
  await app.listen({ path: join(folder, 'a') })
  const client = new Peer('app', { socket: join(folder, 'a') })
  onTestFinished(async () => {
    await Promise.all([client.close(), onward.close(), app.close()])
    behind.closeAllConnections()
    behind.close()
  })
  const connections = () =>
    new Promise<number>((resolve, reject) =>
      app.server.getConnections((err, count) => (err ? reject(err) : resolve(count))),
    )
  return { client, connections, socket: join(folder, 'a') }
}

test('whoever stops in the middle of a refused upload gets its answer, and the connection does not stay', async () => {
  const { socket, connections } = await refusingPath()
  const sender = connect(socket)
  onTestFinished(() => void sender.destroy())
  let answer = ''
  sender.setEncoding('utf8').on('data', piece => {
    answer += piece
  })
  const ended = once(sender, 'close')
  sender.write('PUT /x HTTP/1.1\r\nhost: x\r\ncontent-length: 30000000\r\n\r\n')
  sender.write(Buffer.alloc(400_000))
  await ended
  expect(answer).toMatch(/^HTTP\/1\.1 409 /)
  expect(await connections()).toBe(0)
})

test('a small upload that is refused unread leaves its connection to the next request', async () => {
  const { client } = await refusingPath()
  for (let i = 0; i < 50; i++) {
    const answer = await client.request({ method: 'PUT', path: '/x', body: Buffer.alloc(i * 20_000) })
    expect([i, answer.status, await answer.body.text()]).toEqual([i, 409, '{}'])
  }
})
