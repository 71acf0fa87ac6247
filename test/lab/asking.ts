import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Answer {
  /** performance.now() of the request. */
  sent: number
  /** 0: no answer. */
  status: number
}

export interface Client {
  /** One question on a connection of its own; its HTTP status, 0 without an answer within 5 s. */
  ask(): Promise<number>
  /** Starts so many a second, whatever becomes of the others, until it is stopped. */
  at(o: { perSecond: number }): { stop(): Promise<Answer[]> }
}

/** A client of one address, with the key and the CA that `cluster up` left in the operator's folder. */
export function askingAt({ url, folder }: { url: string; folder: string }): Client {
  const config = configIn(folder)
  const file = (end: string) =>
    readFileSync(join(config, readdirSync(config).find(name => name.endsWith(end))!), 'utf8')
  const [key, ca] = [file('.key').trim(), file('.ca.crt')]
  const ask = () =>
    new Promise<number>(resolve => {
      const sent = request(`${url}/api/v1/ask`, {
        method: 'POST',
        ca,
        agent: false,
        timeout: 5_000,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      })
      sent.once('error', () => resolve(0))
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')))
      sent.once('response', answer => {
        answer.once('error', () => resolve(0))
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
      })
      sent.end(JSON.stringify({ question: 'how do I add a node?' }))
    })
  return {
    ask,
    at({ perSecond }) {
      const running: Promise<Answer>[] = []
      let on = true
      const loop = (async () => {
        while (on) {
          const sent = performance.now()
          running.push(ask().then(status => ({ sent, status })))
          await sleep(1_000 / perSecond)
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

const configIn = (folder: string) => join(folder, 'config', 'llmagentos')
