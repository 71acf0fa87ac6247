import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** The line to a gateway, which can go dark: what stands is silent and does not end, what is new finds nobody, as it is with a machine that lost its power. */
export async function lineTo(url: string) {
  const { port } = new URL(url)
  const open = new Set<[near: Socket, far: Socket]>()
  const listener = () =>
    createServer(near => {
      const far = connect(Number(port), '127.0.0.1')
      const pair: [Socket, Socket] = [near, far]
      open.add(pair)
      near.pipe(far)
      far.pipe(near)
      for (const socket of pair) {
        socket.on('error', () => undefined)
        socket.on('close', () => open.delete(pair))
      }
    })
  let server = listener().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = (server.address() as AddressInfo).port
  const dark = (o: { to: boolean }) => {
    server.close()
    for (const [near, far] of open) {
      far.unpipe(near)
      if (o.to) near.unpipe(far)
      far.resume()
    }
  }
  onTestFinished(() => {
    server.close()
    for (const socket of [...open].flat()) socket.destroy()
  })
  return {
    url: `https://127.0.0.1:${own}`,
    /** Nothing passes any more. */
    dark: () => dark({ to: true }),
    /** What is sent on connections that stand still arrives there; nothing comes back. */
    mute: () => dark({ to: false }),
    async light() {
      server = listener().listen(own, '127.0.0.1')
      await once(server, 'listening')
    },
  }
}
