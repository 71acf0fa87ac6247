import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { download } from '../../../src/provision/artifacts/download.ts'
import { tempFolder } from '../../helpers/temp.ts'

const FILE = randomBytes(300_000)
const integrityOf = (bytes: Buffer) => `sha256-${createHash('sha256').update(bytes).digest('base64')}`
const integrity = integrityOf(FILE)

/** A server on loopback, and what it was asked. */
async function server(answer: RequestListener) {
  const asked: IncomingMessage[] = []
  const http = createServer((req, res) => {
    asked.push(req)
    answer(req, res)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  return { asked, http, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }
}

/** Gives the rest of a file, as a server that can. */
function ranged(req: IncomingMessage, res: ServerResponse, bytes = FILE): Buffer {
  const from = Number(/^bytes=(\d+)-$/.exec(req.headers.range ?? '')?.[1] ?? 0)
  const rest = bytes.subarray(from)
  res.writeHead(from > 0 ? 206 : 200, {
    'content-length': rest.length,
    ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
  })
  return rest
}

const place = () => join(tempFolder(), 'cache', 'file.tgz')
const around = { env: {} }

test('a file arrives whole, and what came is counted', async () => {
  const { url } = await server((req, res) => res.end(ranged(req, res)))
  const to = place()
  let bytes = 0
  await download({ url: `${url}/f`, integrity }, to, { ...around, onBytes: count => (bytes += count) })
  expect(readFileSync(to).equals(FILE)).toBe(true)
  expect(bytes).toBe(FILE.length)
  expect(existsSync(`${to}.part`)).toBe(false)
})

test('after a cut it goes on where it stopped', async () => {
  const to = place()
  const { url, asked } = await server(async (req, res) => {
    const rest = ranged(req, res)
    if (asked.length > 1) return void res.end(rest)
    res.write(rest.subarray(0, 100_000))
    // What came and is not yet written is lost with the connection.
    await vi.waitFor(() => expect(statSync(`${to}.part`).size).toBeGreaterThan(0), 10_000)
    res.destroy()
  })
  await download({ url: `${url}/f`, integrity }, to, around)
  expect(readFileSync(to).equals(FILE)).toBe(true)
  const [, from] = /^bytes=(\d+)-$/.exec(asked[1]!.headers.range ?? '') ?? []
  expect(Number(from)).toBeGreaterThan(0)
})

test('what another run left is gone on with', async () => {
  const { url, asked } = await server((req, res) => res.end(ranged(req, res)))
  const to = join(tempFolder(), 'file.tgz')
  writeFileSync(`${to}.part`, FILE.subarray(0, 200_000))
  await download({ url: `${url}/f`, integrity }, to, around)
  expect(asked.map(req => req.headers.range)).toEqual(['bytes=200000-'])
  expect(readFileSync(to).equals(FILE)).toBe(true)
})

test.each([
  ['of another file', randomBytes(1000)],
  ['longer than the file', Buffer.concat([FILE, FILE])],
])('what was left is begun anew where it was %s', async (_, left) => {
  const { url } = await server((req, res) => {
    const from = Number(/^bytes=(\d+)-$/.exec(req.headers.range ?? '')?.[1] ?? 0)
    if (from >= FILE.length) res.writeHead(416).end()
    else res.end(ranged(req, res))
  })
  const to = join(tempFolder(), 'file.tgz')
  writeFileSync(`${to}.part`, left)
  await download({ url: `${url}/f`, integrity }, to, around)
  expect(readFileSync(to).equals(FILE)).toBe(true)
})

test('a server that cannot begin in the middle gives all of it', async () => {
  const { url } = await server((_, res) => res.end(FILE))
  const to = join(tempFolder(), 'file.tgz')
  writeFileSync(`${to}.part`, FILE.subarray(0, 200_000))
  await download({ url: `${url}/f`, integrity }, to, around)
  expect(readFileSync(to).equals(FILE)).toBe(true)
})

test('another file than the one wanted is not believed, and nothing of it stays', async () => {
  const { url } = await server((_, res) => res.end(randomBytes(1000)))
  const to = place()
  await expect(download({ url: `${url}/f`, integrity }, to, around)).rejects.toMatchObject({
    exit: 9,
    message: expect.stringMatching(/\/f is not the file that we know\.$/),
    why: `its sha256 is not ${integrity}`,
  })
  expect([existsSync(to), existsSync(`${to}.part`)]).toEqual([false, false])
})

test('what is not there is said at once, and what fails for a moment is asked for again', async () => {
  const none = await server((_, res) => res.writeHead(404).end())
  await expect(download({ url: `${none.url}/f`, integrity }, place(), around)).rejects.toMatchObject({
    exit: 3,
    why: 'the server answered 404',
  })
  expect(none.asked.length).toBe(1)
  const busy = await server((req, res) => {
    if (busy.asked.length === 1) res.writeHead(503).end()
    else res.end(ranged(req, res))
  })
  await download({ url: `${busy.url}/f`, integrity }, place(), around)
  expect(busy.asked.length).toBe(2)
})

test('a mirror that nobody listens at is named, without its password', async () => {
  const free = await server(() => undefined)
  free.http.close()
  const url = `${free.url.replace('//', '//ops:secret@')}/f`
  const failed = await download({ url, integrity }, place(), around).catch(thrown => thrown)
  expect(failed).toMatchObject({ exit: 3, message: `${free.url}/f could not be fetched.` })
  expect(JSON.stringify(failed) + failed.why).not.toContain('secret')
}, 30_000)

test('a user and a password of the URL are sent, and not to where the server sends on', async () => {
  const end = await server((req, res) => res.end(ranged(req, res)))
  const begin = await server((_, res) => res.writeHead(302, { location: `${end.url}/real` }).end())
  const to = place()
  await download({ url: `${begin.url.replace('//', '//ops:pass%20word@')}/f`, integrity }, to, around)
  expect(begin.asked[0]!.headers.authorization).toBe(
    `Basic ${Buffer.from('ops:pass word').toString('base64')}`,
  )
  expect(end.asked[0]).toMatchObject({ url: '/real' })
  expect(end.asked[0]!.headers.authorization).toBeUndefined()
})

test('who sends on for ever is left', async () => {
  const { url, asked } = await server((_, res) => res.writeHead(302, { location: '/f' }).end())
  await expect(download({ url: `${url}/f`, integrity }, place(), around)).rejects.toMatchObject({ exit: 3 })
  expect(asked.length).toBeLessThan(40)
}, 30_000)

test('a file of this machine is taken as well', async () => {
  const source = join(tempFolder(), 'a b.tgz')
  writeFileSync(source, FILE)
  const to = place()
  await download({ url: pathToFileURL(source).href, integrity }, to, around)
  expect(readFileSync(to).equals(FILE)).toBe(true)
  await expect(
    download({ url: pathToFileURL(`${source}.not`).href, integrity }, place(), around),
  ).rejects.toMatchObject({ exit: 3, why: expect.stringContaining('ENOENT') })
})

/** A proxy that tunnels to whom it is asked for. */
async function proxy() {
  const proxied: string[] = []
  const { http, url } = await server((_, res) => res.writeHead(400).end())
  http.on('connect', (req, socket) => {
    proxied.push(req.url!)
    const [host, port] = req.url!.split(':')
    const to = connect({ host, port: Number(port), noDelay: true }, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      to.pipe(socket).pipe(to)
    })
    for (const one of [to, socket]) one.on('error', () => to.destroy())
  })
  return { proxied, url }
}

test('a proxy of the file is gone through, but to whom it excepts; the environment comes first', async () => {
  const { url } = await server((req, res) => res.end(ranged(req, res)))
  const [ours, theirs] = [await proxy(), await proxy()]
  const get = (o: { env?: Record<string, string>; except?: string[] }) =>
    download({ url: `${url}/f`, integrity }, place(), {
      env: o.env ?? {},
      proxy: { url: ours.url, except: o.except ?? [] },
    })
  await get({})
  expect(ours.proxied).toEqual([new URL(url).host])
  await get({ except: ['127.0.0.1'] })
  expect(ours.proxied.length).toBe(1)
  await get({ env: { http_proxy: theirs.url } })
  expect([ours.proxied.length, theirs.proxied.length]).toEqual([1, 1])
})

test('who stops it stops it', async () => {
  const { url, asked } = await server((_, res) => void res.write('a'))
  const stop = new AbortController()
  const done = download({ url: `${url}/f`, integrity }, place(), { ...around, signal: stop.signal })
  const watch = setInterval(() => asked.length > 0 && stop.abort(new Error('Ctrl-C')), 20)
  await expect(done).rejects.toThrow('Ctrl-C')
  clearInterval(watch)
})
