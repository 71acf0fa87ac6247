import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { raw, request } from './raw.ts'

let cluster: Cluster
let auth: string
const JSON_TYPE = 'Content-Type: application/json'
const send = (bytes: string | Buffer) => raw(cluster.url, bytes)
const post = (body: string | Buffer, headers: string[] = [JSON_TYPE], path = '/api/v1/ask') =>
  send(request({ method: 'POST', path, headers: [auth, ...headers], body }))
const get = (path: string, headers: string[] = []) => send(request({ path, headers: [auth, ...headers] }))

beforeAll(async () => {
  cluster = await startCluster()
  auth = `Authorization: Bearer ${cluster.key}`
})
afterAll(async () => {
  const { code } = await cluster.run('cluster', 'status')
  await cluster.stop()
  expect(code).toBe(0)
})

describe('what is not HTTP is answered with one sentence, and its connection closed', () => {
  const head = 'POST /api/v1/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  test.each<[string, string | Buffer, number]>([
    ['an unknown method', 'FOO /x HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['an unknown version', 'GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n', 400],
    ['lines that end with LF alone', 'GET /healthz HTTP/1.1\nHost: x\n\n', 400],
    ['NUL and high bytes', Buffer.from('00ff1603010d0a0d0a', 'hex'), 400],
    ['the hello of TLS', Buffer.from('16030100a5010000a10303', 'hex'), 400],
    ['a negative content-length', `${head}Content-Length: -5\r\n\r\n{}`, 400],
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} `, 400],
    ['a length and chunks', `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['a chunk without a length', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`, 400],
    ['a control character in a header', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\x01b\r\n\r\n', 400],
    ['a folded header', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: abcdefgh\r\n X-B: 1\r\n\r\n', 400],
    ['a header of 20 KB', `GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['an address of 20 KB', `GET /healthz?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    [
      '3,000 headers',
      `GET /healthz HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 3000 }, (_, i) => `X-${i}: 1\r\n`).join('')}\r\n`,
      431,
    ],
  ])('%s', async (_name, bytes, status) => {
    const answer = await send(bytes)
    expect(answer.status, answer.all).toBe(status)
    const { error } = JSON.parse(answer.body)
    expect(error).toMatchObject({ code: expect.any(String), message: expect.stringMatching(/^[^\n]+\.$/) })
    expect(error.requestId).toBe(answer.headers['x-request-id'])
  })

  test('no Host, or one that is another machine, reaches nothing else', async () => {
    expect((await send('GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n')).status).toBe(400)
    for (const host of ['169.254.169.254', 'evil:1', 'auth.sock', '[::1]', '']) {
      expect((await get('/internal/auth/jwks', [`Host: ${host}`])).status).toBe(404)
      expect((await get('/api/v1/whoami', [`Host: ${host}`])).status).toBe(200)
    }
    expect((await get('http://127.0.0.1:1/internal/auth/jwks')).status).toBe(404)
  })

  test('CONNECT and an upgrade open no tunnel', async () => {
    expect((await send('CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n')).all).not.toContain('200')
    const upgrade = await get('/api/v1/whoami', ['Upgrade: websocket', 'Connection: upgrade, close'])
    expect(upgrade.all).not.toContain('101 Switching')
  })
})

test('requests that are sent at once are answered in their order, each with its own rights', async () => {
  const answer = await send(
    Buffer.concat([
      request({ path: '/api/v1/whoami', headers: [auth, 'Connection: keep-alive'] }),
      request({ path: '/api/v1/whoami', headers: ['Connection: keep-alive'] }),
      request({ path: '/nowhere', headers: ['Connection: keep-alive'] }),
      request({ path: '/healthz' }),
    ]),
  )
  expect([...answer.all.matchAll(/HTTP\/1\.1 (\d+)/g)].map(m => m[1])).toEqual(['200', '401', '404', '200'])
})

describe('a body that is refused', () => {
  const open = '{"question":"hi"'
  test.each<[string, string | Buffer, number, string[]?]>([
    ['cut JSON', '{"question":', 400],
    ['an empty one', '', 400],
    ['null', 'null', 400],
    ['a list', '[]', 400],
    ['__proto__', `${open},"__proto__":{"stream":true}}`, 400],
    ['constructor.prototype', `${open},"constructor":{"prototype":{"x":1}}}`, 400],
    ['constructor', `${open},"constructor":1}`, 400],
    ['a field that nobody knows', `${open},"toString":1}`, 400],
    ['a number that is no number', `${open},"sampling":{"temperature":1e999}}`, 400],
    ['a number past what JSON readers hold', `${open},"sampling":{"seed":${'9'.repeat(30)}}}`, 400],
    ['NUL alone', '{"question":"\\u0000"}', 400],
    ['10,000 lists in each other', `${open},"sampling":{"format":{"a":${nested(10_000)}}}}`, 400],
    ['100,000 lists that never end', '['.repeat(100_000), 400],
    ['100 levels', `${open},"sampling":{"format":{"a":${nested(100)}}}}`, 400],
    [
      '10,000 messages',
      JSON.stringify({ messages: Array(10_000).fill({ role: 'user', content: 'x' }) }),
      400,
    ],
    ['bytes that are not UTF-8', Buffer.from('{"question":"\xff\xfe"}', 'latin1'), 400],
    ['UTF-16', Buffer.from('{"question":"hi"}', 'utf16le'), 400],
    ['more than 1 MiB', JSON.stringify({ question: 'x'.repeat(1 << 20) }), 413],
    ['another type', open, 415, ['Content-Type: text/plain']],
    ['no type', open, 415, []],
    ['a type that is none', open, 415, [`Content-Type: ${'a/'.repeat(2000)}`]],
    ['a form', 'question=hi', 415, ['Content-Type: application/x-www-form-urlencoded']],
    ['gzip', open, 415, [JSON_TYPE, 'Content-Encoding: gzip']],
  ])('%s', async (_name, body, status, headers) => {
    const answer = await post(body, headers)
    expect(answer.status, answer.all).toBe(status)
    expect(JSON.parse(answer.body).error).toMatchObject({ message: expect.stringMatching(/^[^\n]+\.$/) })
  })

  test('a task with parameters that are nested without end is refused too', async () => {
    const body = `{"kind":"qa","params":{"question":"a","x":${nested(10_000)}}}`
    expect((await post(body, [JSON_TYPE], '/api/v1/tasks')).status).toBe(400)
  })

  test('a large body announced is refused before it is sent', async () => {
    const answer = await send(
      request({
        method: 'POST',
        path: '/api/v1/ask',
        headers: [auth, JSON_TYPE, `Content-Length: ${50 << 20}`],
        body: '{',
      }),
    )
    expect(answer.status).toBe(413)
  })

  test('a byte order mark is no mistake, and the last of two fields of one name counts everywhere', async () => {
    expect((await post('\ufeff{"question":"how do I add a node?"}')).status).toBe(200)
    const answer = await post('{"model":"no-such-model","question":"hi","model":"extractive"}')
    expect(answer.status).toBe(200)
  })
})

describe('what services say to each other means nothing from outside', () => {
  test.each(
    ['NaN', '-1', '0', '1', '0x10', '1e400', 'Infinity', '9'.repeat(400), 'abc', ' '].map(d => [d]),
  )('a deadline of %s is no deadline', async deadline => {
    expect((await get('/api/v1/whoami', [`X-Deadline: ${deadline}`])).status).toBe(200)
  })

  test('a caller, an attempt or a writer gives no rights', async () => {
    const headers = ['X-Caller: gateway', 'X-Attempt: 1', 'X-Writer: me', 'X-Task-Attempt: nonsense']
    const noKey = await send(request({ path: '/api/v1/whoami', headers }))
    expect(noKey.status).toBe(401)
    const boot = request({
      method: 'POST',
      path: '/internal/auth/bootstrap',
      headers: [...headers, JSON_TYPE],
      body: '{"name":"x"}',
    })
    expect((await send(boot)).status).toBe(404)
    expect((await get('/api/v1/whoami', headers)).status).toBe(200)
  })

  test.each(
    [
      '/internal/store?prefix=auth/',
      '/internal/auth/feed',
      '/internal/auth/jwks',
      '/internal/worker/state',
      '/%69nternal/auth/feed',
      '/INTERNAL/auth/feed',
      '//internal/auth/feed',
      '/./internal/auth/feed',
      '/api/v1/../../internal/auth/feed',
      '/api/v1/%2e%2e/%2e%2e/internal/auth/feed',
      '/api/v1/..;/internal/auth/feed',
      '/metrics',
      '/api/v1/metrics',
      '/',
      '/api',
      '/favicon.ico',
      '/.env',
    ].map(p => [p]),
  )('%s is not there', async path => {
    const answer = await get(path, ['X-Caller: executor'])
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.body).error.code).toBe('no_route')
  })

  test('/ready is one word, and tells nothing of the services', async () => {
    const answer = await get('/ready', ['X-Caller: executor'])
    expect(answer).toMatchObject({ status: 200, body: 'ready\n' })
  })

  test.each(
    ['/api/v1/%', '/api/v1/tasks/%E0%A4%A', '/api/v1/objects/%ff', '/api/v1/sessions/%C0%AE'].map(p => [p]),
  )('%s cannot be read', async path => {
    const answer = await get(path)
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body).error.requestId).toBe(answer.headers['x-request-id'])
  })
})

test('a request id of others is taken when it is plain, and replaced when it is not', async () => {
  expect((await get('/nowhere', ['X-Request-Id: build-42_abc'])).headers['x-request-id']).toBe('build-42_abc')
  for (const id of [
    'short',
    'x'.repeat(65),
    'abcdefgh%0d%0aX-B: 1',
    'abcdefgh\u00e9',
    '../../../etc/passwd',
    'a"b{c}d,e',
  ]) {
    const { headers } = await get('/nowhere', [`X-Request-Id: ${id}`])
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{16,40}$/)
    expect(headers['x-b']).toBeUndefined()
  }
})

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels)
}
