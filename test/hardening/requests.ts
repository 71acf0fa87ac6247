import type { Route } from '../../src/contracts/route.ts'
import { pathOf } from '../../src/runtime/call-parts.ts'

/** A request that its route takes, every field given once. Nothing that it names exists, so none does harm. */
const BODIES: Record<string, object> = {
  'POST /api/v1/ask': {
    question: 'how do I add a node?',
    session: 'fields',
    kb: ['docs'],
    model: 'extractive',
    stream: false,
    class: 'interactive',
    material: 'a text',
    sampling: { maxTokens: 9, temperature: 1, topP: 1, stop: ['x'], seed: 1, format: 'json' },
  },
  'POST /api/v1/embed': { model: 'extractive', input: ['a'] },
  'POST /api/v1/models/pull': { name: 'nomodel:1b' },
  'POST /api/v1/kb/search': { query: 'node', kb: ['docs'], limit: 3 },
  'POST /api/v1/tasks': {
    text: 'sum up this',
    kind: 'qa',
    params: { question: 'how do I add a node?' },
    priority: 'low',
    expiresInSeconds: 60,
    model: 'extractive',
    dryRun: true,
  },
  'POST /api/v1/keys': {
    name: 'fields',
    user: 'admin',
    scopes: ['ask'],
    models: ['extractive'],
    limits: { requestsPerMinute: 9, tokensPerMinute: 9 },
    expiresInSeconds: 60,
  },
  'POST /api/v1/users': { name: 'fields', role: 'viewer' },
  'PUT /api/v1/users/:name/role': { role: 'viewer' },
  'POST /v1/chat/completions': {
    model: 'extractive',
    messages: [{ role: 'user', content: 'how do I add a node?' }],
    stream: false,
    stream_options: { include_usage: true },
    max_tokens: 9,
    max_completion_tokens: 9,
    temperature: 1,
    top_p: 1,
    stop: ['x'],
    seed: 1,
    n: 1,
    response_format: { type: 'text' },
  },
  'POST /v1/completions': { model: 'extractive', prompt: 'how do I add a node?', max_tokens: 9, stop: 'x' },
  'POST /v1/embeddings': { model: 'extractive', input: ['a'], encoding_format: 'float' },
}

const PARAMS: Record<string, string> = {
  id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  name: 'nobody',
  kb: 'nobody',
  '*': 'no/such',
}

export const nameOf = (route: Route) => `${route.method} ${route.path}`
export const bodyOf = (route: Route): object | undefined => BODIES[nameOf(route)]

/** The path with every parameter named, by values that no one has. A key's id has another shape than a task's. */
export function pathFor(route: Route, params: Record<string, string> = {}): string {
  const own = route.path.startsWith('/api/v1/keys/') ? { id: 'aaaaaaaaaaaaaaaa' } : {}
  return pathOf(route, { ...PARAMS, ...own, ...params })
}
