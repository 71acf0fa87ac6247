import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { Manifest } from '../../../../../contracts/worker.ts'
import type { Reply } from '../../../../transport.ts'

/** A model that another worker has. */
export interface Source {
  manifest: Manifest
  /** `range` as HTTP writes it. */
  blob(digest: string, range?: string): Promise<Reply>
}

/** What a model is called while Ollama takes it over from another worker. One of these names that is left was cut short. */
export const LENT = /^127\.0\.0\.1:\d+\/llmagentos-[0-9a-f]{8}\//

/**
 * A registry on loopback that has one model, the one of `source`: Ollama pulls it from there as from any registry, so that it is who checks
 * the digests, goes on after a cut and tells how far it is. Call `close` in any case.
 */
export async function lend(source: Source): Promise<{ name: string; close(): Promise<void> }> {
  const space = `llmagentos-${randomBytes(4).toString('hex')}`
  const server = createServer({ noDelay: true }, (req, res) => {
    answer(source, `/v2/${space}/model/`, { req, res }).catch(() => res.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    name: `127.0.0.1:${port}/${space}/model:latest`,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function answer(
  { manifest, blob }: Source,
  root: string,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
): Promise<void> {
  const path = req.url?.startsWith(root) ? req.url.slice(root.length) : ''
  if (req.method !== 'GET' && req.method !== 'HEAD') return none(res, 405)
  if (path === 'manifests/latest') {
    const text = JSON.stringify(manifest)
    res.writeHead(200, { 'content-type': MANIFEST, 'content-length': Buffer.byteLength(text) })
    return void res.end(req.method === 'HEAD' ? undefined : text)
  }
  const layer = [manifest.config, ...manifest.layers].find(({ digest }) => path === `blobs/${digest}`)
  if (!layer) return none(res, 404)
  if (req.method === 'HEAD') {
    res.writeHead(200, { 'content-length': layer.size, 'accept-ranges': 'bytes' })
    return void res.end()
  }
  const reply = await blob(layer.digest, req.headers.range)
  if (reply.status !== 200 && reply.status !== 206) {
    await reply.body.text()
    return none(res, 502)
  }
  // Ollama asks once without a range, to be led to where the layer lies; up to 0.24 it wants to hear it though it is here.
  res.writeHead(reply.status, { ...passed(reply.headers), location: `http://${req.headers.host}${req.url}` })
  await pipeline(reply.body, res)
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'

const none = (res: ServerResponse, status: number) => void res.writeHead(status).end()

const passed = (headers: Reply['headers']) =>
  Object.fromEntries(
    ['content-length', 'content-range', 'accept-ranges'].flatMap(name =>
      headers[name] === undefined ? [] : [[name, headers[name]]],
    ),
  )
