import { createServer } from 'node:net'
import { afterAll, describe } from 'vitest'
import { localConnection } from '../../../src/provision/connections/local.ts'
import { stories } from './stories.ts'

const server = createServer(socket => socket.end('SSH-2.0-nothing-but-a-greeting\r\n'))
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
afterAll(() => new Promise(resolve => server.close(resolve)))

describe('on this machine', () => {
  stories({
    open: async () => ({
      connection: localConnection({ node: 'here' }),
      root: process.getuid?.() === 0,
    }),
    greets: (server.address() as { port: number }).port,
  })
})
