import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Peer } from '../../src/runtime/transport.ts'
import { startCluster } from '../helpers/cluster.ts'

test('one service of a process speaks for the process, so that nobody who adds figures up counts its memory twice', async () => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.stop())
  const run = join(cluster.folder, 'run/llmagentos/local')
  const speaks: string[] = []
  const sockets = readdirSync(run).filter(name => name.endsWith('.sock'))
  for (const socket of sockets) {
    const peer = new Peer(socket, { socket: join(run, socket) })
    const answer = await peer.request({ method: 'GET', path: '/metrics' })
    const figures = await answer.body.text()
    await peer.close()
    expect(figures).toContain('llmagentos_request_seconds')
    if (figures.includes('process_resident_memory_bytes')) speaks.push(socket)
  }
  expect(sockets.length).toBeGreaterThan(5)
  expect(speaks).toEqual(['data.sock'])
})
