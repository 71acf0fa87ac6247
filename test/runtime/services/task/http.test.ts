import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Task, TaskDetail, Understood, WatchFrame } from '../../../../src/contracts/tasks.ts'
import { type Cluster, startCluster } from '../../../helpers/cluster.ts'

/** A real cluster: gateway, auth, store, dispatcher, executor and its children. */
let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster()
}, 60_000)
afterAll(() => cluster?.stop(), 60_000)

async function api<T>(
  method: string,
  path: string,
  o: { body?: object; headers?: object; key?: string } = {},
) {
  const reply = await fetch(cluster.url + path, {
    method,
    headers: {
      authorization: `Bearer ${o.key ?? cluster.key}`,
      ...(o.body && { 'content-type': 'application/json' }),
      ...o.headers,
    },
    ...(o.body && { body: JSON.stringify(o.body) }),
  })
  return {
    status: reply.status,
    body: (await reply.json()) as T & { error?: { code: string; message: string; next?: string } },
  }
}
const submit = (body: object, headers?: object) =>
  api<{ task: Task; understood: Understood }>('POST', '/api/v1/tasks', { body, headers })
const show = async (id: string) => (await api<TaskDetail>('GET', `/api/v1/tasks/${id}`)).body
const ended = (id: string) =>
  vi.waitFor(
    async () => {
      const task = await show(id)
      expect(task.ended).toBeDefined()
      return task
    },
    { timeout: 20_000, interval: 100 },
  )
const SUMMARY = { kind: 'summarize', params: { text: 'One. Two. Three.', sentences: 1 } }
/** Not to be started before the test is done with it. */
const LATER = { kind: 'qa', params: { question: 'x'.repeat(90_000) }, priority: 'low' }

test('plain words are understood, accepted with 202, worked on and answered with sources', async () => {
  const { status, body } = await submit({ text: 'how do I add a node?' })
  expect(status).toBe(202)
  expect(body.understood).toMatchObject({
    kind: 'qa',
    by: 'rules',
    params: { question: 'how do I add a node?' },
  })
  const task = await ended(body.task.id)
  expect(task).toMatchObject({ state: 'done', attempt: 1, attempts: [{ attempt: 1, outcome: 'done' }] })
  expect((task.result as { sources: unknown[] }).sources.length).toBeGreaterThan(0)
})

test('a dry run says what would be done and stores nothing', async () => {
  const before = await api<{ tasks: Task[] }>('GET', '/api/v1/tasks')
  const { status, body } = await submit({ ...SUMMARY, dryRun: true })
  expect([status, body.task, body.understood.kind]).toEqual([202, undefined, 'summarize'])
  const after = await api<{ tasks: Task[] }>('GET', '/api/v1/tasks')
  expect(after.body.tasks.length).toBe(before.body.tasks.length)
})

test('the same idempotency key and body give the same task, at once and after its end; another body is a 409', async () => {
  const headers = { 'idempotency-key': 'one' }
  const both = await Promise.all([submit(SUMMARY, headers), submit(SUMMARY, headers)])
  expect(new Set(both.map(b => b.body.task.id)).size).toBe(1)
  const { id } = both[0]!.body.task
  await ended(id)
  const reordered = { params: { sentences: 1, text: 'One. Two. Three.' }, kind: 'summarize' }
  expect((await submit(reordered, headers)).body.task).toMatchObject({ id, state: 'done' })
  const other = await submit({ text: 'why?' }, headers)
  expect([other.status, other.body.error?.code]).toEqual([409, 'idempotency'])
})

test.each([
  [{}, /neither text nor kind/],
  [{ kind: 'nothing' }, /no kind of task named nothing/],
  [{ kind: 'summarize', params: { sentences: 'many' } }, /params\/sentences must be integer/],
  [{ kind: 'summarize', params: { surely: 1 } }, /no property surely/],
  [{ kind: 'classify', text: 'no labels here' }, /takes no parameters from plain words/],
  [{ text: 'x', priority: 'urgent' }, /body\/priority/],
  [{ text: '' }, /body\/text/],
  [{ text: 'x', extra: 1 }, /extra/],
])('a submit of %j is a 400 that says why', async (body, says) => {
  const answer = await submit(body)
  expect(answer.status).toBe(400)
  expect(answer.body.error?.message).toMatch(says)
})

test('a task of another user is not there: not to show, to watch, to cancel or to retry', async () => {
  const { body } = await submit(SUMMARY)
  await cluster.run('user', 'create', 'eve', '--role', 'user')
  const made = await cluster.run('key', 'create', 'hers', '--user', 'eve', '--json')
  const { key } = JSON.parse(made.stdout) as { key: string }
  const { id } = body.task
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/watch'],
    ['POST', '/cancel'],
    ['POST', '/retry'],
  ] as const)
    expect((await api(method, `/api/v1/tasks/${id}${path}`, { key })).status, path).toBe(404)
  expect((await api<{ tasks: Task[] }>('GET', '/api/v1/tasks', { key })).body.tasks).toEqual([])
  expect((await ended(id)).state).toBe('done')
})

test('an id that is no id is a 400, one that nobody has a 404', async () => {
  expect((await api('GET', '/api/v1/tasks/..%2f..%2fauth')).status).toBe(400)
  expect((await api('GET', '/api/v1/tasks/7ZZZZZZZZZZZZZZZZZZZZZZZZZ')).status).toBe(404)
})

test('a cancelled task ends once and for all; retry submits it anew', async () => {
  // Enough in front of it that it still waits.
  const ahead = await Promise.all(Array.from({ length: 12 }, () => submit(SUMMARY)))
  const { task } = (await submit(LATER)).body
  const cancelled = await api<Task>('POST', `/api/v1/tasks/${task.id}/cancel`)
  expect(cancelled).toMatchObject({ status: 200, body: { state: 'cancelled' } })
  expect((await api<Task>('POST', `/api/v1/tasks/${task.id}/cancel`)).body.state).toBe('cancelled')
  const [first] = ahead
  await ended(first!.body.task.id)
  const late = await api<Task>('POST', `/api/v1/tasks/${first!.body.task.id}/cancel`)
  expect([late.status, late.body.error?.code]).toEqual([409, 'ended'])
  const again = await api<{ task: Task }>('POST', `/api/v1/tasks/${first!.body.task.id}/retry`)
  expect(again).toMatchObject({ status: 202, body: { task: { retryOf: first!.body.task.id } } })
  expect((await ended(again.body.task.id)).state).toBe('done')
  expect((await show(task.id)).state).toBe('cancelled')
})

test('watching gives each change and ends with the task', async () => {
  const { task } = (await submit(SUMMARY)).body
  const reply = await fetch(`${cluster.url}/api/v1/tasks/${task.id}/watch`, {
    headers: { authorization: `Bearer ${cluster.key}` },
  })
  expect(reply.headers.get('content-type')).toMatch(/ndjson/)
  const frames = (await reply.text())
    .trim()
    .split('\n')
    .map(l => JSON.parse(l) as WatchFrame)
  const states = frames.flatMap(f => (f.type === 'task' ? [f.task.state] : []))
  expect(states.at(-1)).toBe('done')
  const order = ['queued', 'running', 'done']
  expect(states).toEqual(states.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)))
})

test('lists page newest first, and filter by state and kind', async () => {
  const ids: string[] = []
  for (let i = 0; i < 7; i++) ids.push((await submit(SUMMARY)).body.task.id)
  await Promise.all(ids.map(ended))
  const seen: string[] = []
  for (let after = ''; ; ) {
    const page = await api<{ tasks: Task[]; next?: string }>(
      'GET',
      `/api/v1/tasks?limit=3${after && `&after=${after}`}`,
    )
    seen.push(...page.body.tasks.map(t => t.id))
    if (!page.body.next) break
    after = page.body.next
  }
  expect(seen).toEqual(seen.toSorted().toReversed())
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen.slice(0, 7)).toEqual(ids.toReversed())
  const cancelled = await api<{ tasks: Task[] }>('GET', '/api/v1/tasks?state=cancelled')
  expect(cancelled.body.tasks.map(t => t.state)).toEqual(['cancelled'])
  const qa = await api<{ tasks: Task[] }>('GET', '/api/v1/tasks?kind=qa&limit=1000')
  expect(new Set(qa.body.tasks.map(t => t.kind))).toEqual(new Set(['qa']))
})

test('a task that has ended by itself with a clear reason is failed, and the reason says what to do', async () => {
  const { task } = (await submit({ kind: 'generate', params: { prompt: 'a poem' } })).body
  const end = await ended(task.id)
  expect(end).toMatchObject({ state: 'failed', attempt: 1 })
  expect(end.reason).toMatch(/needs a language model.*--model/)
})

test('a text of two megabytes is read from its object and summed up', async () => {
  const body = 'A line that is long enough to matter here. '.repeat(50_000)
  const headers = { authorization: `Bearer ${cluster.key}`, 'content-type': 'text/plain' }
  const put = await fetch(`${cluster.url}/api/v1/objects/long.txt`, { method: 'PUT', headers, body })
  expect(put.status).toBe(201)
  const { task } = (await submit({ kind: 'summarize', params: { object: 'long.txt' } })).body
  expect(await ended(task.id)).toMatchObject({ state: 'done', attempt: 1 })
})

test('the kinds are listed with what they take', async () => {
  const { body } = await api<{ kinds: { name: string; params: object; examples: string[] }[] }>(
    'GET',
    '/api/v1/kinds',
  )
  expect(body.kinds.map(k => k.name)).toEqual(
    expect.arrayContaining(['qa', 'summarize', 'extract', 'code', 'embed']),
  )
  for (const k of body.kinds) expect(k.examples.length).toBeGreaterThan(0)
})

test('the command line waits for the end, and its exit code is the fate', async () => {
  const ok = await cluster.run('task', 'submit', 'how do I add a node?', '--wait')
  expect(ok).toMatchObject({ code: 0, stdout: expect.stringMatching(/\w/) })
  expect(ok.stderr).toMatch(/\(kind qa, by rules\)/)
  expect(
    (await cluster.run('task', 'submit', '--kind', 'code', '--param', 'instructions=x', '--wait')).code,
  ).toBe(6)
  const made = await cluster.run('task', 'submit', '--kind', 'summarize', '--param', 'text=A. B.', '--json')
  const { task } = JSON.parse(made.stdout) as { task: Task }
  const watched = await cluster.run('task', 'watch', task.id, '--json')
  expect(watched.code).toBe(0)
  expect(JSON.parse(watched.stdout.trim().split('\n').at(-1)!)).toMatchObject({
    type: 'task',
    task: { state: 'done' },
  })
  expect((await cluster.run('task', 'show', task.id)).stdout).toMatch(/^task +01/)
  expect((await cluster.run('task', 'list')).stdout).toContain(task.id)
  expect((await cluster.run('task', 'cancel', task.id)).code).toBe(2)
  expect((await cluster.run('task', 'submit')).code).toBe(2)
  expect((await cluster.run('task', 'submit', '--kind', 'qa', '--params-file', '/nowhere')).code).toBe(2)
})
