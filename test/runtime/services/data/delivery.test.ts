import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { deliver } from '../../../../src/runtime/services/data/objects/delivery.ts'

const KIB = 1024
const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const running: Server[] = []

afterEach(async () => {
  for (const server of running.splice(0)) {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

describe('a body that is sent on', () => {
  test.each([
    0,
    1,
    256 * KIB - 1,
    256 * KIB,
    256 * KIB + 1,
    3000 * KIB + 7,
  ])('of %i bytes arrives whole, in pieces of any size', async size => {
    const bytes = randomBytes(size)
    const whole = { name: 'a', bytes: size, sha256: digestOf(bytes) }
    for (const pieceBytes of [16 * KIB, 700 * KIB, 1000]) {
      const { reply, ended } = await asked(pieces(bytes, pieceBytes), size, whole)
      expect((await buffer(reply)).equals(bytes)).toBe(true)
      await ended
    }
  })

  test('never arrives whole where it was altered in the store', async () => {
    const bytes = randomBytes(700 * KIB)
    const whole = { name: 'report.pdf', bytes: bytes.length, sha256: digestOf(randomBytes(8)) }
    const { reply, ended } = await asked(pieces(bytes, 16 * KIB), bytes.length, whole)
    let arrived = 0
    reply.on('data', piece => {
      arrived += piece.length
    })
    await expect(once(reply, 'end')).rejects.toThrow('aborted')
    expect(arrived).toBeLessThan(bytes.length)
    await expect(ended).rejects.toThrow(/^report.pdf is damaged in the store: 716800 bytes of sha256/)
  })

  test('is not read far ahead of who reads slowly, and goes on when that one does', async () => {
    const bytes = randomBytes(16 * 1024 * KIB)
    let read = 0
    const source = Readable.from(counted())
    const whole = { name: 'a', bytes: bytes.length, sha256: digestOf(bytes) }
    const { reply, ended } = await asked(source, bytes.length, whole)
    await quiet(() => read)
    // What two buffers and the sockets of both ends hold.
    expect(read).toBeLessThan(bytes.length / 2)
    expect((await buffer(reply)).equals(bytes)).toBe(true)
    await ended

    function* counted() {
      for (let from = 0; from < bytes.length; from += 64 * KIB) {
        read = from
        yield bytes.subarray(from, from + 64 * KIB)
      }
    }
  })

  test('is left when whoever reads goes', async () => {
    const source = new Readable({
      read() {
        this.push(Buffer.alloc(64 * KIB))
      },
    })
    const { reply, ended } = await asked(source, 1e9)
    await once(reply, 'data')
    reply.destroy()
    await expect(ended).rejects.toThrow('whoever reads has gone')
    expect(source.destroyed).toBe(true)
  })

  test('breaks off where the store does', async () => {
    const source = new Readable({ read() {} })
    source.push(Buffer.alloc(600 * KIB))
    const { reply, ended } = await asked(source, 700 * KIB)
    reply.resume()
    source.destroy(new Error('the store is away'))
    await expect(once(reply, 'end')).rejects.toThrow('aborted')
    await expect(ended).rejects.toThrow('the store is away')
  })
})

const pieces = (bytes: Buffer, size: number) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    ),
  )

/** The answer of a real server that delivers `body`, not yet read. */
async function asked(body: Readable, bytes: number, whole?: { name: string; bytes: number; sha256: string }) {
  let ended: Promise<void> | undefined
  const server = createServer((_, reply) => {
    reply.writeHead(200, { 'content-length': String(bytes) })
    reply.flushHeaders()
    ended = deliver(body, reply, { bytes, whole, signal: new AbortController().signal })
    ended.catch(() => undefined)
  })
  running.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sent = request({ host: '127.0.0.1', port, agent: false }).end()
  const [reply] = (await once(sent, 'response')) as [IncomingMessage]
  reply.on('error', () => {})
  return { reply, ended: ended! }
}

/** Resolves when `of` has stayed the same for 200 ms. */
async function quiet(of: () => number): Promise<void> {
  for (let before = -1; before !== of(); ) {
    before = of()
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}
