import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import Type from 'typebox'
import { onTestFinished } from 'vitest'
import type { Address, TlsFiles } from '../../../src/contracts/config.ts'
import type { ServiceName } from '../../../src/contracts/identity.ts'
import { route } from '../../../src/contracts/route.ts'
import { silent } from '../../../src/log.ts'
import { Metrics } from '../../../src/runtime/metrics.ts'
import { buildApp } from '../../../src/runtime/server/app.ts'
import { closeApp } from '../../../src/runtime/server/close.ts'
import { handle } from '../../../src/runtime/server/handle.ts'
import { offer } from '../../../src/runtime/server/offer.ts'
import { openCredentials } from '../../../src/runtime/tls/credentials.ts'
import { mutualTls, secure } from '../../../src/runtime/tls/listen.ts'
import { Calls } from '../../../src/runtime/transport.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { Authority } from './authority.ts'

export const question = route({
  ...{
    method: 'POST',
    path: '/internal/worker/question',
    says: 'Answer',
    to: 'worker',
    callers: ['llm', 'task'],
  },
  body: Type.Object({}),
  replies: { 200: Type.Object({ caller: Type.String() }) },
})
export const upload = route({
  ...{ method: 'PUT', path: '/internal/worker/upload', says: 'Count bytes', to: 'worker', callers: ['llm'] },
  upload: { limitBytes: 1024 * 1024 },
  replies: { 200: Type.Object({ bytes: Type.Integer() }) },
})
export const frames = route({
  ...{
    method: 'POST',
    path: '/internal/worker/frames',
    says: 'Answer in frames',
    to: 'worker',
    callers: ['llm'],
  },
  body: Type.Object({}),
  streams: 'lines',
  replies: { 200: Type.Unknown() },
})

/** One service over mutual TLS that answers two routes, and how others call it. */
export async function worker(o: { authority?: Authority; files?: TlsFiles } = {}) {
  const authority = o.authority ?? new Authority(tempFolder())
  const files = o.files ?? authority.issue('worker')
  const named = o.files ? 'data' : 'worker'
  const credentials = openCredentials(files, {
    service: files.cert.includes('worker') ? 'worker' : named,
    log: silent,
  })
  const app = buildApp({ log: silent, metrics: new Metrics('worker'), tls: mutualTls(credentials.current) })
  secure(app, { credentials, callers: ['llm', 'task'], log: silent })
  const seen = new Set<string>()
  let handled = 0
  let wanted = 0
  let wake = () => {}
  app.get('/healthz', async () => 'ok\n')
  app.addHook('preHandler', async req => {
    const { raw } = req
    const socket = raw.socket as unknown as { getPeerCertificate(): { serialNumber: string } }
    seen.add(socket.getPeerCertificate().serialNumber)
    handled++
  })
  const verify = async () => {
    throw new Error('nobody comes with a token')
  }
  offer(app, question, verify, async ({ hop }) => ({ caller: hop.caller! }))
  handle(app, upload, verify, async ({ upload: body }) => {
    let bytes = 0
    for await (const piece of body) bytes += piece.length
    return { bytes }
  })
  offer(app, frames, verify, async () =>
    (async function* () {
      for (let n = 0; n < 5; n++) {
        while (wanted < n) await new Promise<void>(resolve => (wake = resolve))
        yield { n }
      }
    })(),
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const at: Address = { host: '127.0.0.1', port }
  onTestFinished(async () => {
    await closeApp(app, 1_000)
    credentials.close()
  })
  const filesOf = (name: string): TlsFiles => ({
    cert: authority.ca.replace('ca.crt', `${name}.crt`),
    key: authority.ca.replace('ca.crt', `${name}.key`),
    ca: authority.ca,
  })
  return {
    authority,
    port,
    at,
    files: filesOf,
    handled: () => handled,
    app,
    callerSerials: () => seen.size,
    next(n: number) {
      wanted = n
      wake()
    },
    callsAs(self: ServiceName, own = authority.issue(self), services = [at]) {
      const mine = openCredentials(own, { service: self, log: silent })
      const calls = new Calls(self, { worker: services }, { credentials: mine })
      onTestFinished(async () => {
        await calls.close()
        mine.close()
      })
      return calls
    },
  }
}

export const read = ({ cert, key, ca }: TlsFiles) => ({
  cert: readFileSync(cert),
  key: readFileSync(key),
  ca: readFileSync(ca),
})

/** Sends a request whatever the handshake says, and returns all that came back until the connection ended. */
export async function knock(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
  let text = ''
  socket.on('data', piece => {
    text += piece
  })
  socket.on('error', thrown => {
    text += thrown.message
  })
  socket.write(
    'POST /internal/worker/question HTTP/1.1\r\nhost: x\r\nx-caller: llm\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}',
  )
  await new Promise(resolve => socket.once('close', resolve))
  return text
}

export async function serialAt(port: number, authority: Authority): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ...read(authority.issue('task', { file: 'probe' })) })
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}
