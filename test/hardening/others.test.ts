import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { raw, request } from './raw.ts'

/** Everyone but Ann, to whom everything belongs. */
const OTHERS = { bob: 'user', vic: 'viewer', opal: 'operator', 'ann.b': 'user', root: 'admin' } as const
type Name = keyof typeof OTHERS | 'ann'
const NO_TASK = '01ARZ3NDEKTSV4RRFFQ69G5FAV'

let cluster: Cluster
const keys: Partial<Record<Name, string>> = {}
const ids = { task: '', done: '', key: '' }
let before = ''

beforeAll(async () => {
  cluster = await startCluster()
  for (const [name, role] of [['ann', 'user'], ...Object.entries(OTHERS)]) {
    expect((await as('admin', 'POST', '/api/v1/users', { name, role })).status).toBe(201)
    const made = await as('admin', 'POST', '/api/v1/keys', { name: 'test', user: name })
    expect(made.status, made.body).toBe(201)
    keys[name as Name] = JSON.parse(made.body).key
  }
  await as('ann', 'PUT', '/api/v1/objects/notes/secret.md', '# Plan\n\nThe plan is heliotrope.')
  await as('ann', 'POST', '/api/v1/ask', { question: 'what is heliotrope?', session: 'ann-talk' })
  ids.key = JSON.parse((await as('ann', 'POST', '/api/v1/keys', { name: 'second' })).body).info.id
  const ingest = { kind: 'ingest', params: { kb: 'ann-kb', objects: ['notes/secret.md'] } }
  ids.done = await submitted('ann', ingest)
  ids.task = await submitted('ann', { kind: 'qa', params: { question: 'how do I add a node?' } })
  await vi.waitFor(
    async () => {
      for (const id of [ids.done, ids.task])
        expect(JSON.parse((await as('ann', 'GET', `/api/v1/tasks/${id}`)).body).state).toBe('done')
    },
    { timeout: 20_000, interval: 100 },
  )
  before = await annHas()
})
afterAll(async () => {
  await cluster.stop()
})

describe.each(Object.keys(OTHERS) as Name[])('%s', who => {
  test.each<[string, string, (id: 'hers' | 'none') => string]>([
    ['GET', 'a task', id => `/api/v1/tasks/${id === 'hers' ? ids.done : NO_TASK}`],
    ['GET', 'a task to watch', id => `/api/v1/tasks/${id === 'hers' ? ids.done : NO_TASK}/watch`],
    ['POST', 'a task to cancel', id => `/api/v1/tasks/${id === 'hers' ? ids.done : NO_TASK}/cancel`],
    ['POST', 'a task to do again', id => `/api/v1/tasks/${id === 'hers' ? ids.done : NO_TASK}/retry`],
    ['GET', 'a session', id => `/api/v1/sessions/${id === 'hers' ? 'ann-talk' : 'no-talk'}`],
    ['DELETE', 'a session', id => `/api/v1/sessions/${id === 'hers' ? 'ann-talk' : 'no-talk'}`],
    ['GET', 'an object', id => `/api/v1/objects/notes/${id === 'hers' ? 'secret' : 'absent'}.md`],
    ['DELETE', 'an object', id => `/api/v1/objects/notes/${id === 'hers' ? 'secret' : 'absent'}.md`],
    ['GET', "a kb's documents", id => `/api/v1/kb/${id === 'hers' ? 'ann' : 'no'}-kb/documents`],
    ['DELETE', 'a kb', id => `/api/v1/kb/${id === 'hers' ? 'ann' : 'no'}-kb`],
    ['DELETE', 'a document', id => `/api/v1/kb/${id === 'hers' ? 'ann' : 'no'}-kb/documents/notes/secret.md`],
  ])('%s of %s of Ann is answered as one that does not exist', async (method, _what, path) => {
    const hers = await as(who, method, path('hers'))
    const none = await as(who, method, path('none'))
    expect(hers.status, hers.body).toBeGreaterThanOrEqual(403)
    expect(hers.status).toBe(none.status)
    expect(shape(hers.body, path('hers'))).toBe(shape(none.body, path('none')))
  })

  test('other ways to write an id lead nowhere either', async () => {
    const t = ids.done
    const paths = [
      ...[
        t.toLowerCase(),
        `${t}.`,
        `${t}%2e`,
        `${t}%00`,
        `${t}%20`,
        `${t}/`,
        `${t}%2f`,
        `${t}-0`,
        `${t}-1`,
      ].map(id => `/api/v1/tasks/${id}`),
      ...[`x%2f..%2f${t}`, `..%2fann%2f${t}`, `${t}%2f..%2f${t}`, `./${t}`].map(id => `/api/v1/tasks/${id}`),
      ...[
        'ANN-TALK',
        'ann-talk.',
        'ann-talk%2e',
        '..%2fann%2fann-talk',
        'ann%2fann-talk',
        'ann-talk%2f1',
      ].map(id => `/api/v1/sessions/${id}`),
      ...[
        '../ann/notes/secret.md',
        '..%2fann%2fnotes%2fsecret.md',
        '%2e%2e/ann/notes/secret.md',
        'ann/notes/secret.md',
        '/ann/notes/secret.md',
        'notes//secret.md',
        'notes/./secret.md',
        'notes%2fsecret.md',
        'NOTES/SECRET.MD',
        'notes/secret.md.',
        'notes/secret.md/',
        'notes%5csecret.md',
        'notes/secret.md%00',
      ].map(name => `/api/v1/objects/${name}`),
      ...['ANN-KB', 'ann-kb.', 'ann%2fann-kb', '..%2fann%2fann-kb', 'ann-kb%00'].map(
        kb => `/api/v1/kb/${kb}/documents`,
      ),
    ]
    for (const path of paths) {
      const answer = await as(who, 'GET', path)
      expect([400, 404], `${path}: ${answer.body}`).toContain(answer.status)
      expect(answer.body).not.toContain('heliotrope')
    }
  })

  test('nothing of Ann is found by listing, searching or asking', async () => {
    const list = [
      'tasks',
      'sessions',
      'objects',
      'kb',
      'objects?prefix=notes',
      `tasks?after=${'Z'.repeat(26)}`,
    ]
    for (const path of list) {
      const { body } = await as(who, 'GET', `/api/v1/${path}`)
      for (const hers of [ids.task, ids.done, 'ann-talk', 'secret.md', 'ann-kb'])
        expect(body).not.toContain(hers)
    }
    for (const kb of [undefined, ['ann-kb'], ['docs', 'ann-kb']]) {
      const found = await as(who, 'POST', '/api/v1/kb/search', { query: 'heliotrope plan', kb })
      expect(found.body).not.toContain('The plan')
      const said = await as(who, 'POST', '/api/v1/ask', {
        question: 'what is the plan?',
        kb,
        session: 'ann-talk',
      })
      expect(said.body).not.toContain('heliotrope')
    }
  })
})

test('what others tried changed nothing of Ann', async () => {
  expect(await annHas()).toBe(before)
})

describe('no key makes more of itself', () => {
  const roles = Object.entries(OTHERS) as [Name, string][]
  test.each(roles)('%s, who is %s, has the rights of that role over keys and users', async (who, role) => {
    const key = role === 'admin' ? 201 : 403
    expect((await as(who, 'POST', '/api/v1/keys', { name: 'x', user: 'ann' })).status).toBe(key)
    expect((await as(who, 'POST', '/api/v1/users', { name: `made-by-${who}`, role: 'admin' })).status).toBe(
      key,
    )
    expect((await as(who, 'GET', '/api/v1/users')).status).toBe(role === 'admin' ? 200 : 403)
    if (role === 'admin') return
    expect((await as(who, 'PUT', `/api/v1/users/${who}/role`, { role: 'admin' })).status).toBe(403)
    expect((await as(who, 'DELETE', '/api/v1/users/ann')).status).toBe(403)
    expect([403, 404]).toContain((await as(who, 'DELETE', `/api/v1/keys/${ids.key}`)).status)
    expect((await as(who, 'GET', '/api/v1/keys')).body).not.toContain(ids.key)
    const wider = await as(who, 'POST', '/api/v1/keys', { name: 'wider', scopes: ['ask', 'users'] })
    expect(wider.status, wider.body).toBe(403)
  })

  test('a key with less makes only keys with no more', async () => {
    const made = await as('bob', 'POST', '/api/v1/keys', {
      name: 'narrow',
      scopes: ['keys', 'ask'],
      models: ['other'],
      limits: { requestsPerMinute: 5 },
      expiresInSeconds: 600,
    })
    const narrow = JSON.parse(made.body).key as string
    const make = (body: object) => call(narrow, 'POST', '/api/v1/keys', { name: 'x', ...body })
    expect((await make({ scopes: ['ask', 'tasks:write'] })).status).toBe(403)
    expect((await make({ models: ['other', 'extractive'] })).status).toBe(403)
    expect((await make({ limits: { requestsPerMinute: 6 } })).status).toBe(403)
    const same = await make({})
    expect(same.status, same.body).toBe(201)
    const { info, key } = JSON.parse(same.body)
    expect(info.scopes.toSorted()).toEqual(['ask', 'keys'])
    expect(info.models).toEqual(['other'])
    expect(Date.parse(info.expires)).toBeLessThanOrEqual(Date.now() + 601_000)
    expect((await call(key, 'POST', '/api/v1/ask', { question: 'how do I add a node?' })).status).toBe(403)
  })

  test('an idempotency key of one user says nothing to another', async () => {
    const task = { kind: 'qa', params: { question: 'how do I add a node?' } }
    const once = (who: Name) => call(keys[who]!, 'POST', '/api/v1/tasks', task, ['Idempotency-Key: the-same'])
    const first = JSON.parse((await once('ann')).body).task.id
    expect(JSON.parse((await once('ann')).body).task.id).toBe(first)
    const other = await call(keys.bob!, 'POST', '/api/v1/tasks', { ...task, priority: 'low' }, [
      'Idempotency-Key: the-same',
    ])
    expect(other.status).toBe(202)
    expect(JSON.parse(other.body).task.id).not.toBe(first)
  })
})

const as = (who: Name | 'admin', method: string, path: string, body?: unknown) =>
  call(who === 'admin' ? cluster.key : keys[who]!, method, path, body)

async function call(key: string, method: string, path: string, body?: unknown, more: string[] = []) {
  const type = typeof body === 'string' ? 'text/markdown' : 'application/json'
  return raw(
    cluster.url,
    request({
      method,
      path,
      headers: [
        `Authorization: Bearer ${key}`,
        ...(body === undefined ? [] : [`Content-Type: ${type}`]),
        ...more,
      ],
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    }),
  )
}

async function submitted(who: Name, body: object): Promise<string> {
  const answer = await as(who, 'POST', '/api/v1/tasks', body)
  expect(answer.status, answer.body).toBe(202)
  return JSON.parse(answer.body).task.id
}

/** All that Ann can see of her own. */
async function annHas(): Promise<string> {
  const paths = [
    'tasks',
    `tasks/${ids.done}`,
    'sessions',
    'sessions/ann-talk',
    'objects',
    'objects/notes/secret.md',
    'kb',
    'kb/ann-kb/documents',
    'keys',
    'whoami',
  ]
  const answers = await Promise.all(paths.map(p => as('ann', 'GET', `/api/v1/${p}`)))
  for (const a of answers) expect(a.status, a.body).toBe(200)
  return answers.map(a => a.body).join('\n')
}

/** An answer without what names the thing that was asked for. */
function shape(body: string, path: string): string {
  const named = path.split('/').slice(4)
  let text = body.replace(/"requestId":"[^"]+"/, '')
  for (const name of [named.join('/'), 'notes/secret.md', ...named]) text = text.replaceAll(name, 'IT')
  return text
}
