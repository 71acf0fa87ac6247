// The measuring side: one keep-alive connection per target, Nagle off, nothing between us and the socket but node:http.
import { Agent, request } from 'node:http'

/** Something that answers a POST; `body` is a value that becomes JSON. */
export function target(name, { url, socketPath, path, headers = {}, body }) {
  const agent = new Agent({ keepAlive: true, noDelay: true, maxSockets: 512 })
  const { hostname, port } = url ? new URL(url) : {}
  const open = given => {
    const text = JSON.stringify(given ?? body)
    const started = performance.now()
    const req = request({
      method: 'POST',
      agent,
      path,
      ...(socketPath ? { socketPath } : { hostname, port }),
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        ...(typeof headers === 'function' ? headers() : headers),
      },
    })
    req.setNoDelay(true)
    req.end(text)
    return { req, started }
  }
  return { name, open, close: () => agent.destroy() }
}

/** Milliseconds until the whole answer was here. Throws when it is not the answer that was expected. */
export function timed(to, isRight) {
  return new Promise((resolve, reject) => {
    const { req, started } = to.open()
    req.once('error', reject)
    req.once('response', res => {
      let text = ''
      res.setEncoding('utf8').on('data', piece => {
        text += piece
      })
      res.once('error', reject)
      res.once('end', () => {
        const ms = performance.now() - started
        if (res.statusCode === 200 && isRight(text)) resolve(ms)
        else reject(new Error(`${to.name} answered ${res.statusCode}: ${text.slice(0, 300)}`))
      })
    })
  })
}

/** One stream of server-sent events: its tokens in order, with the time of each from the start of the request, and whether it ended well. */
export function streamed(to, body) {
  return new Promise((resolve, reject) => {
    const { req, started } = to.open(body)
    const tokens = []
    let done = false
    let rest = ''
    req.once('error', reject)
    req.once('response', res => {
      res.setEncoding('utf8').on('data', piece => {
        const at = performance.now() - started
        const events = (rest + piece).split('\n\n')
        rest = events.pop()
        for (const event of events) {
          if (!event.startsWith('data: ')) continue
          if (event === 'data: [DONE]') done = true
          else {
            const content = JSON.parse(event.slice(6)).choices?.[0]?.delta?.content
            if (content) tokens.push({ content, at })
          }
        }
      })
      res.once('error', reject)
      res.once('end', () => resolve({ status: res.statusCode, tokens, done }))
    })
  })
}
