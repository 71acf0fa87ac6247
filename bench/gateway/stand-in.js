// The same fixed answer in Ollama's API and in OpenAI's. A process of its own: `node stand-in.js PORT`. Not a model.
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Named by what they do: `fixed` answers at once, `stream` says 64 numbered tokens, one each 20 ms. */
const MODELS = {
  fixed: { tokens: 'Hello ! How can I help you today ?'.split(' ').map(w => `${w} `), everyMs: 0 },
  stream: { tokens: Array.from({ length: 64 }, (_, i) => `<${i}>`), everyMs: 20 },
}
const DIGESTS = { fixed: 'f'.repeat(64), stream: 'e'.repeat(64) }
const DETAILS = { format: 'gguf', family: 'llama', parameter_size: '8.0B', quantization_level: 'Q4_K_M' }

const server = createServer({ noDelay: true }, (req, res) => {
  let text = ''
  req.setEncoding('utf8').on('data', piece => {
    text += piece
  })
  req.on('end', () => answer(req.url, text ? JSON.parse(text) : {}, res))
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('ready\n'))

function answer(path, body, res) {
  const name = body.model?.replace(':latest', '')
  switch (path) {
    case '/api/version':
      return json(res, { version: '0.24.0' })
    case '/api/tags':
      return json(res, { models: Object.keys(MODELS).map(tag) })
    case '/api/ps':
      return json(res, { models: Object.keys(MODELS).map(n => ({ ...tag(n), context_length: 8192 })) })
    case '/api/show':
      return json(res, {
        details: DETAILS,
        capabilities: ['completion'],
        model_info: { 'general.architecture': 'llama', 'llama.context_length': 8192 },
      })
    case '/api/chat':
      return ollama(MODELS[name], body, res)
    case '/v1/chat/completions':
      return body.stream ? events(MODELS[name], body, res) : whole(MODELS[name], body, res)
    default:
      res.writeHead(404).end('404 page not found')
  }
}

async function ollama({ tokens, everyMs }, body, res) {
  const head = { model: body.model, created_at: new Date().toISOString() }
  res.writeHead(200, { 'content-type': 'application/x-ndjson' })
  await each(tokens, everyMs, content =>
    res.write(`${JSON.stringify({ ...head, message: { role: 'assistant', content }, done: false })}\n`),
  )
  const figures = { prompt_eval_count: 10, eval_count: tokens.length, total_duration: 1, eval_duration: 1 }
  const message = { role: 'assistant', content: '' }
  res.end(`${JSON.stringify({ ...head, message, done: true, done_reason: 'stop', ...figures })}\n`)
}

async function events({ tokens, everyMs }, body, res) {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: body.model }
  const event = (delta, finish) =>
    res.write(
      `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
    )
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  await each(tokens, everyMs, content => event({ role: 'assistant', content }, null))
  event({}, 'stop')
  res.end('data: [DONE]\n\n')
}

function whole({ tokens }, body, res) {
  const message = { role: 'assistant', content: tokens.join('') }
  json(res, {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: body.model,
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: tokens.length, total_tokens: 10 + tokens.length },
  })
}

/** On a timetable from the first token, so that a late timer does not put off all that follow. */
async function each(tokens, everyMs, send) {
  const begin = performance.now()
  for (const [i, token] of tokens.entries()) {
    const left = begin + i * everyMs - performance.now()
    if (left > 0) await sleep(left)
    send(token)
  }
}

const tag = name => ({
  name: `${name}:latest`,
  model: `${name}:latest`,
  modified_at: '2026-01-01T00:00:00Z',
  size: 1_000_000,
  digest: DIGESTS[name],
  details: DETAILS,
})

function json(res, body) {
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
