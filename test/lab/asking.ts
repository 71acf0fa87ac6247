import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../src/errors.ts'

export interface Answer {
  /** performance.now() of the request. */
  sent: number
  ms: number
  /** 0: no answer. */
  status: number
  /** Why there was none. */
  why?: string
  /** Its Retry-After. */
  retryAfter?: string
}

export interface Client {
  /** One question on a connection of its own; its HTTP status, 0 without an answer in time. */
  ask(): Promise<number>
  /** One task on a connection of its own. */
  submit(): Promise<Answer>
  /** Starts so many a second, whatever becomes of the others, until it is stopped. */
  at(o: { perSecond: number }): { stop(): Promise<Answer[]> }
}

/** A client of one address, with the key and the CA that `cluster up` left in the operator's folder. */
export function askingAt(o: {
  url: string
  folder: string
  deadlineMs?: number
  question?(n: number): string
}): Client {
  const config = join(o.folder, 'config', 'llmagentos')
  const file = (end: string) =>
    readFileSync(join(config, readdirSync(config).find(name => name.endsWith(end))!), 'utf8')
  const [key, ca] = [file('.key').trim(), file('.ca.crt')]
  const { url, deadlineMs = 5_000, question = () => 'how do I add a node?' } = o
  let n = 0
  const post = (path: string, body: object) =>
    posted({ url: `${url}/api/v1/${path}`, key, ca, deadlineMs, body })
  const asked = () => post('ask', { question: question(n++) })
  return {
    ask: async () => (await asked()).status,
    submit: () => post('tasks', { kind: 'qa', params: { question: question(n++) } }),
    at({ perSecond }) {
      const running: Promise<Answer>[] = []
      let on = true
      const loop = (async () => {
        for (let next = performance.now(); on; next += 1_000 / perSecond) {
          await sleep(Math.max(0, next - performance.now()))
          running.push(asked())
        }
      })()
      return {
        async stop() {
          on = false
          await loop
          return Promise.all(running)
        },
      }
    },
  }
}

interface Post {
  url: string
  key: string
  ca: string
  deadlineMs: number
  body: object
}

function posted({ url, key, ca, deadlineMs, body }: Post): Promise<Answer> {
  const sentAt = performance.now()
  return new Promise(resolve => {
    const end = (status: number, more?: Pick<Answer, 'why' | 'retryAfter'>) =>
      resolve({ sent: sentAt, ms: performance.now() - sentAt, status, ...more })
    const failed = (thrown: Error) => end(0, { why: reasonOf(thrown) })
    const sent = request(url, {
      method: 'POST',
      ca,
      agent: false,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    })
    const late = setTimeout(() => sent.destroy(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs)
    sent.once('close', () => clearTimeout(late))
    sent.once('error', failed)
    sent.once('response', answer => {
      let text = ''
      answer.once('error', failed)
      answer.setEncoding('utf8').on('data', chunk => (text += chunk))
      answer.once('end', () => {
        const status = answer.statusCode ?? 0
        const retryAfter = answer.headers['retry-after']
        end(status, { ...(status >= 300 && { why: text.slice(0, 300) }), ...(retryAfter && { retryAfter }) })
      })
    })
    sent.end(JSON.stringify(body))
  })
}
