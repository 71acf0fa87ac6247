import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Body, bodyOf, json, nameIn } from './body.ts'
import { embed } from './embed.ts'
import { generate } from './generate.ts'
import { newestFirst, running, shown, tag } from './listed.ts'
import { openai } from './openai.ts'
import { pull } from './pull.ts'
import { full, type Held, type State } from './state.ts'

/** One request, by the paths of Ollama's API. */
export async function answer(state: State, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const path = (req.url ?? '/').split('?')[0]!
  const body = await bodyOf(req)
  if (!PROBES.has(path)) state.standIn.requests.push({ path, body })
  switch (`${req.method} ${path}`) {
    case 'GET /':
      return void res.end('Ollama is running')
    case 'GET /api/version':
      return json(res, 200, { version: state.standIn.version })
    case 'GET /api/tags':
      return json(res, 200, { models: [...state.models].map(([name, m]) => tag(name, m)).sort(newestFirst) })
    case 'GET /api/ps':
      return json(res, 200, {
        models: [...state.models].filter(([, m]) => m.loaded).map(([name, m]) => running(name, m)),
      })
    case 'POST /api/show':
      return withModel(state, body, res, held => json(res, 200, shown(held)))
    case 'POST /api/chat':
    case 'POST /api/generate':
      return willing(state, body, res, held => generate(state, held, { body, path, res }))
    case 'POST /api/embed':
      return willing(state, body, res, held => embed(held, body, res))
    case 'POST /api/pull':
      return pull(state, body, res)
    case 'DELETE /api/delete':
      return withModel(state, body, res, () => {
        state.models.delete(full(nameIn(body)))
        state.disk?.remove(full(nameIn(body)))
        res.end()
      })
    case 'POST /api/copy': {
      const { source, destination } = body as { source?: string; destination?: string }
      return withModel(state, { model: source }, res, held => {
        state.models.set(full(destination!), { ...held })
        state.disk?.copy(full(source!), full(destination!))
        res.end()
      })
    }
    case 'GET /v1/models':
      return json(res, 200, {
        object: 'list',
        data: [...state.models.keys()].map(id => ({ id, object: 'model', created: 0, owned_by: 'library' })),
      })
    case 'POST /v1/chat/completions':
      return willing(state, body, res, held => openai(held, body, res))
    default:
      res.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found')
  }
}

const PROBES = new Set(['/', '/api/version', '/api/tags', '/api/ps', '/api/show'])

async function withModel(
  state: State,
  body: Body,
  res: ServerResponse,
  then: (held: Held) => void | Promise<void>,
): Promise<void> {
  const name = nameIn(body)
  const held = state.models.get(full(name))
  if (!held) return json(res, 404, { error: `model '${name}' not found` })
  await then(held)
}

const willing: typeof withModel = (state, body, res, then) =>
  withModel(state, body, res, async held => {
    const { fail } = held.script
    if (fail) json(res, fail.status, { error: fail.error })
    else await then(held)
  })
