import type { IncomingMessage } from 'node:http'

/** The body of an answer that says its length, in one buffer, copied once. Throws where it is cut. */
export function wholeOf(reply: IncomingMessage): Promise<Buffer> {
  const whole = Buffer.allocUnsafe(Number(reply.headers['content-length']))
  let bytes = 0
  return new Promise((resolve, reject) => {
    reply.on('data', (piece: Buffer) => {
      bytes += piece.copy(whole, bytes)
    })
    reply.once('error', reject)
    reply.once('close', () => reject(new Error('the body ended too early')))
    reply.once('end', () => resolve(whole))
  })
}
