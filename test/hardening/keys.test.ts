import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { raw, request } from './raw.ts'

let cluster: Cluster
const JSON_TYPE = 'Content-Type: application/json'
const send = (bytes: string | Buffer) => raw(cluster.url, bytes)
const get = (path: string) => send(request({ path, headers: [`Authorization: Bearer ${cluster.key}`] }))

beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.stop())

const whoami = (...headers: string[]) => send(request({ path: '/api/v1/whoami', headers }))

test('a key that is missing, malformed or unknown is 401 with what to do, and never repeated', async () => {
  const sent = [
    [],
    ['Authorization: Bearer'],
    ['Authorization: Bearer '],
    ['Authorization: Basic YWRtaW46YWRtaW4='],
    ['Authorization: Bearer lao_x'],
    [`Authorization: Bearer ${cluster.key}x`],
    [`Authorization: Bearer ${cluster.key.slice(0, -1)}`],
    [`Authorization: Bearer ${cluster.key.toUpperCase()}`],
    [`Authorization: Bearer lao_${'a'.repeat(16)}_${'b'.repeat(43)}`],
    [`Authorization: Bearer ${'x'.repeat(10_000)}`],
    ['X-Api-Key: %00'],
  ]
  for (const headers of sent) {
    const answer = await whoami(...headers)
    expect(answer.status, headers.join().slice(0, 60)).toBe(401)
    const { error } = JSON.parse(answer.body)
    expect(error.next).toMatch(/\S/)
    const text = headers[0]?.split(/Bearer /)[1]
    if (text && text.length > 8) expect(answer.all).not.toContain(text)
  }
})

test('a key in an address is refused, also when another one is sent rightly', async () => {
  for (const path of [`/api/v1/whoami?key=${cluster.key}`, `/api/v1/tasks?after=${cluster.key}`])
    expect((await get(path)).status).toBe(400)
  const only = await send(request({ path: `/api/v1/whoami?api_key=${cluster.key}` }))
  expect(only.status).toBe(400)
  expect(only.all).not.toContain(cluster.key)
})

test('a key is asked for before anything of the request is looked at', async () => {
  const sent = request({ method: 'POST', path: '/api/v1/ask', headers: [JSON_TYPE], body: '{"question":' })
  expect((await send(sent)).status).toBe(401)
  const wrong = request({ method: 'POST', path: '/v1/chat/completions', headers: [JSON_TYPE], body: '{}' })
  expect((await send(wrong)).status).toBe(401)
  const id = request({ path: '/api/v1/tasks/not-an-id' })
  expect((await send(id)).status).toBe(401)
})

test('a key that has expired is refused with how to get another one', async () => {
  const made = await cluster.run('key', 'create', 'brief', '--expires', '1s', '--json')
  expect(made.code, made.stderr).toBe(0)
  const key = JSON.parse(made.stdout).key as string
  const whoami = () => send(request({ path: '/api/v1/whoami', headers: [`Authorization: Bearer ${key}`] }))
  await vi.waitFor(async () => expect((await whoami()).status).toBe(401), { timeout: 10_000 })
  const { error } = JSON.parse((await whoami()).body)
  expect(error.message).toMatch(/expired/)
  expect(error.next).toMatch(/key create/)
})
