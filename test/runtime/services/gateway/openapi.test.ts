import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { publicRoutes } from '../../../../src/contracts/public-routes.ts'
import { openAiRoutes } from '../../../../src/runtime/services/gateway/openai/index.ts'
import { type Cluster, startCluster } from '../../../helpers/cluster.ts'
import { type Document, faultsOf, operationsOf, strict } from './openapi-document.ts'

/** What only an Ollama can do; those routes show their refusals here. */
const NEEDS_A_MODEL = [
  'post /api/v1/embed',
  'post /api/v1/models/pull',
  'delete /api/v1/models/{*}',
  'post /v1/embeddings',
]

const ajv = new Ajv2020({ strict: false })
let cluster: Cluster
let document: Document
const seen = new Map<string, Set<number>>()

beforeAll(async () => {
  cluster = await startCluster()
  document = (await (await fetch(`${cluster.url}/api/v1/openapi.json`)).json()) as Document
})
afterAll(() => cluster.stop())

test('the document is OpenAPI 3.1', () => {
  expect(document.openapi).toMatch(/^3\.1\.\d+$/)
  expect(faultsOf(document)).toEqual([])
})

test('it lists every public route, and nothing else', () => {
  const routes = [...publicRoutes, ...openAiRoutes].map(
    r => `${r.method.toLowerCase()} ${r.path.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{*}')}`,
  )
  expect(
    operationsOf(document)
      .map(o => o.name)
      .toSorted(),
  ).toEqual(routes.toSorted())
  expect(Object.keys(document.paths).filter(p => /internal|metrics|ready/.test(p))).toEqual([])
})

test('real answers of every route are as documented', async () => {
  const body = { question: 'how do I add a node?' }
  const NONE = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
  await call('post', '/api/v1/ask', { ...body, session: 'talk' })
  await call('post', '/api/v1/ask', { ...body, stream: true })
  await call('post', '/api/v1/ask', { ...body, model: 'none' })
  await call('post', '/api/v1/embed', { input: ['a'] })
  await call('get', '/api/v1/models')
  await call('post', '/api/v1/models/pull', { name: 'none' })
  await call('delete', '/api/v1/models/{*}', undefined, { '*': 'none' })
  await call('get', '/api/v1/sessions')
  await call('get', '/api/v1/sessions/{id}', undefined, { id: 'talk' })
  await call('get', '/api/v1/sessions/{id}', undefined, { id: 'none' })
  await call('delete', '/api/v1/sessions/{id}', undefined, { id: 'talk' })
  await call('delete', '/api/v1/sessions/{id}', undefined, { id: 'talk' })

  await call('put', '/api/v1/objects/{*}', 'a zebra eats grass', { '*': 'notes/a.txt' })
  await call('put', '/api/v1/objects/{*}', 'a zebra eats grass', { '*': 'notes/a.txt' })
  await call('put', '/api/v1/objects/{*}', 'a zebra runs', { '*': 'notes/b.txt' })
  await call('get', '/api/v1/objects')
  await call('get', '/api/v1/objects/{*}', undefined, { '*': 'notes/a.txt' })
  await call('get', '/api/v1/objects/{*}', undefined, { '*': 'none' })

  const ingest = { kind: 'ingest', params: { kb: 'mine', objects: ['notes/a.txt', 'notes/b.txt'] } }
  const { task } = JSON.parse(await call('post', '/api/v1/tasks', ingest))
  const id = { id: task.id as string }
  await call('post', '/api/v1/tasks', { text: 'sum up this: a b c', dryRun: true })
  await call('post', '/api/v1/tasks', { kind: 'none' })
  await call('get', '/api/v1/tasks/{id}/watch', undefined, id)
  await done(id)
  await call('get', '/api/v1/tasks/{id}', undefined, { id: NONE })
  await call('get', '/api/v1/tasks/{id}/watch', undefined, { id: NONE })
  await call('get', '/api/v1/tasks')
  await call('post', '/api/v1/tasks/{id}/cancel', undefined, id)
  await call('post', '/api/v1/tasks/{id}/cancel', undefined, { id: NONE })
  const again = JSON.parse(await call('post', '/api/v1/tasks/{id}/retry', undefined, id))
  await done({ id: again.task.id })
  await call('post', '/api/v1/tasks/{id}/retry', undefined, { id: NONE })
  // Whether a task is still open when it is cancelled is a race; one of some is.
  for (let n = 0; n < 50 && !seen.get('post /api/v1/tasks/{id}/cancel')!.has(200); n++) {
    const waits = JSON.parse(
      await call('post', '/api/v1/tasks', { kind: 'qa', params: body, priority: 'low' }),
    )
    await call('post', '/api/v1/tasks/{id}/cancel', undefined, { id: waits.task.id })
  }
  await call('get', '/api/v1/kinds')

  await call('get', '/api/v1/kb')
  await call('post', '/api/v1/kb/search', { query: 'zebra' })
  await call('post', '/api/v1/kb/search', { query: '' })
  await call('get', '/api/v1/kb/{kb}/documents', undefined, { kb: 'mine' })
  await call('get', '/api/v1/kb/{kb}/documents', undefined, { kb: 'none' })
  await call('delete', '/api/v1/kb/{kb}/documents/{*}', undefined, { kb: 'mine', '*': 'notes/a.txt' })
  await call('delete', '/api/v1/kb/{kb}/documents/{*}', undefined, { kb: 'mine', '*': 'none' })
  await call('delete', '/api/v1/kb/{kb}', undefined, { kb: 'mine' })
  await call('delete', '/api/v1/kb/{kb}', undefined, { kb: 'none' })
  await call('delete', '/api/v1/objects/{*}', undefined, { '*': 'notes/a.txt' })
  await call('delete', '/api/v1/objects/{*}', undefined, { '*': 'notes/a.txt' })

  const made = JSON.parse(await call('post', '/api/v1/keys', { name: 'x', scopes: ['ask'], models: ['a'] }))
  await call('post', '/api/v1/keys', { name: '' })
  await call('get', '/api/v1/keys')
  await call('delete', '/api/v1/keys/{id}', undefined, { id: made.info.id })
  await call('delete', '/api/v1/keys/{id}', undefined, { id: 'aaaaaaaaaaaaaaaa' })
  await call('post', '/api/v1/users', { name: 'ann', role: 'user' })
  await call('post', '/api/v1/users', { name: 'ann', role: 'user' })
  await call('get', '/api/v1/users')
  await call('put', '/api/v1/users/{name}/role', { role: 'viewer' }, { name: 'ann' })
  await call('put', '/api/v1/users/{name}/role', { role: 'viewer' }, { name: 'none' })
  await call('delete', '/api/v1/users/{name}', undefined, { name: 'ann' })
  await call('delete', '/api/v1/users/{name}', undefined, { name: 'none' })
  await call('get', '/api/v1/whoami')
  await call('get', '/api/v1/status')

  const chat = { model: 'extractive', messages: [{ role: 'user', content: body.question }] }
  await call('post', '/v1/chat/completions', chat)
  await call('post', '/v1/chat/completions', { ...chat, stream: true })
  await call('post', '/v1/chat/completions', { ...chat, model: 'none' })
  await call('post', '/v1/completions', { model: 'extractive', prompt: body.question })
  await call('post', '/v1/completions', { model: 'extractive' })
  await call('post', '/v1/embeddings', { model: 'extractive', input: 'a' })
  await call('get', '/v1/models')
  await call('get', '/v1/models/{*}', undefined, { '*': 'extractive' })
  await call('get', '/v1/models/{*}', undefined, { '*': 'none' })
  for (const { method, path } of operationsOf(document)) await call(method, path, undefined, {}, '')

  const without = (are: (status: number) => boolean) =>
    operationsOf(document)
      .map(o => o.name)
      .filter(name => ![...(seen.get(name) ?? [])].some(are))
  expect(without(s => s < 300).toSorted()).toEqual(NEEDS_A_MODEL.toSorted())
  expect(without(s => s >= 400)).toEqual([])
}, 60_000)

async function done(id: { id: string }): Promise<void> {
  await vi.waitFor(
    async () => {
      const shown = JSON.parse(await call('get', '/api/v1/tasks/{id}', undefined, id))
      expect(shown.state).toBe('done')
    },
    { timeout: 20_000, interval: 100 },
  )
}

/** Sends one request and holds its answer against the document. */
async function call(
  method: string,
  path: string,
  body?: unknown,
  params: Record<string, string> = {},
  key = cluster.key,
): Promise<string> {
  const url = path.replace(/\{([^}]+)\}/g, (_, name) => params[name] ?? 'x')
  const answer = await fetch(cluster.url + url, {
    method: method.toUpperCase(),
    headers: {
      ...(key && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && {
        'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
      }),
    },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await answer.text()
  const says = `${method} ${url} ${answer.status} ${text.slice(0, 300)}`
  const { responses } = document.paths[path]![method]!
  const documented =
    responses[String(answer.status)] ?? (answer.status >= 400 ? responses['default'] : undefined)
  expect(documented, says).toBeDefined()
  const type = answer.headers.get('content-type')!.split(';')[0]!
  const content = documented!.content![type] ?? documented!.content!['*/*']
  expect(content, `${type}: ${says}`).toBeDefined()
  if (content!.schema) {
    const valid = ajv.compile(answer.ok ? strict(content!.schema) : content!.schema)
    expect(valid(JSON.parse(text)), `${says} ${ajv.errorsText(valid.errors)}`).toBe(true)
  }
  const name = `${method} ${path}`
  seen.set(name, (seen.get(name) ?? new Set()).add(answer.status))
  return text
}
