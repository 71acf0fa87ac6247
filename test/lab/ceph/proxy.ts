import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that can lose answers: what was asked gets through, and is done; who asked sees its connection break. */
export interface Proxy {
  port: number
  /** So many of the next answers are lost. */
  lose: number
  /** How many were. */
  lost: number
  close(): Promise<void>
}

export async function proxyTo(at: { host: string; port: number }): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer(inner => {
    const outer = connect(at)
    keep(inner)
    keep(outer)
    inner.pipe(outer)
    outer.on('data', piece => {
      if (proxy.lost < proxy.lose) {
        proxy.lost++
        inner.destroy()
        outer.destroy()
      } else inner.write(piece)
    })
    inner.on('close', () => outer.destroy())
    outer.on('close', () => inner.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: Proxy = {
    port: (server.address() as AddressInfo).port,
    lose: 0,
    lost: 0,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
