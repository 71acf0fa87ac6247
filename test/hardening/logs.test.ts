import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { RequestLog } from '../../src/runtime/services/llm/request-log.ts'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { tempFolder } from '../helpers/temp.ts'

const SECRET_WORDS = 'canary heliotrope 7f3a91'
const ID = 'one-id-through-all-0123456789'

let cluster: Cluster
let watched: ReturnType<typeof watchProcesses>

beforeAll(async () => {
  cluster = await startCluster()
  watched = watchProcesses()
  writeFileSync(join(cluster.folder, 'config/llmagentos/local.json'), '{"logLevel": "debug"}')
  await cluster.run('cluster', 'down')
  const up = await cluster.run('cluster', 'up', '--port', new URL(cluster.url).port)
  expect(up.code, up.stderr).toBe(0)
})
afterAll(async () => {
  watched.stop()
  await cluster.stop()
})

const logFolder = () => join(cluster.folder, 'state/llmagentos/local/log')
const serviceLog = () =>
  readFileSync(join(logFolder(), 'services.log'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)

const call = (method: string, path: string, o: { body?: unknown; id?: string; key?: string } = {}) =>
  fetch(cluster.url + path, {
    method,
    headers: {
      authorization: `Bearer ${o.key ?? cluster.key}`,
      ...(o.id && { 'x-request-id': o.id }),
      ...(o.body !== undefined && { 'content-type': 'application/json' }),
    },
    body: o.body === undefined ? undefined : JSON.stringify(o.body),
  })

test('one request id is in the answer, its header, the request log and the log of every service on the way', async () => {
  const answer = await call('POST', '/api/v1/ask', {
    id: ID,
    body: { question: 'how do I add a node?', session: 'ids' },
  })
  expect(answer.headers.get('x-request-id')).toBe(ID)
  expect(((await answer.json()) as { id: string }).id).toBe(ID)
  await vi.waitFor(() => {
    const services = serviceLog()
      .filter(l => l['requestId'] === ID)
      .map(l => l['service'])
    expect([...new Set(services)].toSorted()).toEqual(['data', 'gateway', 'llm', 'worker'])
  })
  expect(requestLog().filter(l => l['requestId'] === ID)).toHaveLength(1)

  const wrong = await call('GET', '/api/v1/tasks/01ARZ3NDEKTSV4RRFFQ69G5FAV', { id: `${ID}-2` })
  expect(wrong.headers.get('x-request-id')).toBe(`${ID}-2`)
  expect(((await wrong.json()) as { error: { requestId: string } }).error.requestId).toBe(`${ID}-2`)
  await vi.waitFor(() => {
    const services = serviceLog()
      .filter(l => l['requestId'] === `${ID}-2`)
      .map(l => l['service'])
    expect([...new Set(services)].toSorted()).toEqual(['data', 'gateway', 'task'])
  })
})

test('no text of a user, no key and no token is in a log, a command line or an environment', async () => {
  const made = (await (await call('POST', '/api/v1/keys', { body: { name: 'x' } })).json()) as {
    key: string
    info: { id: string }
  }
  const ask = (body: object, path = '/api/v1/ask') =>
    call('POST', path, { body, key: made.key }).then(r => r.text())
  await ask({ question: SECRET_WORDS, session: 'secret-talk' })
  await ask({ question: SECRET_WORDS, stream: true })
  await ask({ question: SECRET_WORDS, model: 'none' })
  await ask({ question: SECRET_WORDS, sampling: { format: 'json' } })
  await ask(
    { messages: [{ role: 'user', content: SECRET_WORDS }], model: 'extractive' },
    '/v1/chat/completions',
  )
  await ask({ query: SECRET_WORDS }, '/api/v1/kb/search')
  await ask({ [SECRET_WORDS]: 1 })
  await call('PUT', `/api/v1/objects/${encodeURIComponent(SECRET_WORDS)}.md`, {
    body: SECRET_WORDS,
    key: made.key,
  })
  await call('GET', `/api/v1/objects?prefix=${encodeURIComponent(SECRET_WORDS)}`, { key: made.key })
  await call('GET', `/api/v1/whoami?key=${made.key}`)
  const params = { kb: 'secret-kb', objects: [`${SECRET_WORDS}.md`] }
  for (const task of [
    { kind: 'qa', params: { question: SECRET_WORDS } },
    { kind: 'ingest', params },
    { kind: 'summarize', params: { text: SECRET_WORDS } },
    { kind: 'extract', params: { text: SECRET_WORDS, fields: ['x'] } },
  ])
    await ask(task, '/api/v1/tasks')
  await vi.waitFor(
    async () => {
      const list = await (await call('GET', '/api/v1/tasks', { key: made.key })).text()
      expect(list).not.toMatch(/"state":"(queued|running|waiting)"/)
    },
    { timeout: 20_000, interval: 100 },
  )
  await call('DELETE', `/api/v1/keys/${made.info.id}`)
  await ask({ question: SECRET_WORDS })

  const logs = readdirSync(logFolder()).map(f => ({
    name: f,
    text: readFileSync(join(logFolder(), f), 'utf8'),
  }))
  expect(logs.map(l => l.name).toSorted()).toEqual(['requests.jsonl', 'services.log'])
  expect(logs.every(l => l.text.length > 500)).toBe(true)
  for (const found of [...logs, ...watched.seen()])
    for (const secret of secrets([made.key, cluster.key])) expect(found.text, found.name).not.toMatch(secret)
  expect(watched.seen().length).toBeGreaterThan(2)
  expect(requestLog().filter(l => l['key'] === made.info.id).length).toBeGreaterThanOrEqual(5)
  for (const file of readdirSync(logFolder())) expect(statSync(join(logFolder(), file)).mode & 0o077).toBe(0)
}, 60_000)

test('the log of requests is rotated, and neither grows without end nor loses a line', () => {
  const file = join(tempFolder(), 'log', 'requests.jsonl')
  const log = new RequestLog(file)
  const filler = 'x'.repeat(100_000)
  for (let n = 0; n < 350; n++) log.write({ n, filler })
  log.close()
  const reopened = new RequestLog(file)
  reopened.write({ n: 350 })
  reopened.close()
  const files = readdirSync(join(file, '..')).toSorted()
  expect(files).toEqual(['requests.jsonl', 'requests.jsonl.1', 'requests.jsonl.2', 'requests.jsonl.3'])
  const ns = ['.3', '.2', '.1', ''].flatMap(end =>
    readFileSync(`${file}${end}`, 'utf8')
      .trim()
      .split('\n')
      .map(l => JSON.parse(l).n as number),
  )
  expect(ns).toEqual(Array.from({ length: ns.length }, (_, i) => 351 - ns.length + i))
  for (const f of files) {
    const { size, mode } = statSync(join(file, '..', f))
    expect(size).toBeLessThan(11 * 1024 * 1024)
    expect(mode & 0o777).toBe(0o600)
  }
})

function requestLog(): Record<string, unknown>[] {
  return readFileSync(join(logFolder(), 'requests.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(l => JSON.parse(l))
}

/** What must not be written anywhere: the words, keys and what could stand for them, and anything that looks like a token. */
function secrets(keys: string[]): RegExp[] {
  const digest = (key: string) => createHash('sha256').update(key.split('_').slice(2).join('_')).digest('hex')
  return [
    /canary|heliotrope/,
    ...keys.flatMap(k => [new RegExp(k.slice(21)), new RegExp(digest(k))]),
    /lao_[a-z0-9]{16}_[\w-]{43}/,
    /eyJ[\w-]{10,}\./,
  ]
}

/** The command lines and environments of all processes but this one and its parents, as anybody could sample them. */
function watchProcesses() {
  const seen = new Map<string, string>()
  const mine = new Set([process.pid, process.ppid])
  const sample = () => {
    for (const pid of readdirSync('/proc').filter(f => /^\d+$/.test(f) && !mine.has(Number(f))))
      for (const file of ['cmdline', 'environ'])
        try {
          const text = readFileSync(`/proc/${pid}/${file}`, 'latin1')
          if (text.includes(cluster.folder)) seen.set(`${pid} ${file}`, text)
        } catch {}
  }
  const timer = setInterval(sample, 20)
  return {
    seen: () => [...seen].map(([name, text]) => ({ name, text })),
    stop: () => clearInterval(timer),
  }
}
