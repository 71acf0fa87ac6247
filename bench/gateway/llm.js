// What the gateway itself does before and after llm, left out: a question straight to llm's socket with a token as the gateway gets it.
import { createHash } from 'node:crypto'
import { request } from 'node:http'

const TOKEN_MS = 30_000

/** Headers for llm's socket; the token is traded for the key again before it is old. */
export function llmHeaders({ key, authSocket }) {
  let token
  const renew = async () => {
    token = (await exchange(key, authSocket)).tokens.llm
  }
  const timer = setInterval(() => renew().catch(() => {}), TOKEN_MS).unref()
  return {
    ready: renew,
    headers: () => ({ 'x-caller': 'gateway', authorization: `Bearer ${token}` }),
    stop: () => clearInterval(timer),
  }
}

function exchange(key, socketPath) {
  const [, id, ...secret] = key.split('_')
  const digest = createHash('sha256').update(secret.join('_')).digest('hex')
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'x-caller': 'gateway' }
    const req = request({ method: 'POST', socketPath, path: '/internal/auth/exchange', headers }, res => {
      let text = ''
      res.setEncoding('utf8').on('data', piece => {
        text += piece
      })
      res.once('end', () =>
        res.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(`auth answered: ${text}`)),
      )
    })
    req.once('error', reject)
    req.end(JSON.stringify({ id, digest }))
  })
}
