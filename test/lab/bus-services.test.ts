import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { bootstrapKey } from '../../src/contracts/auth.ts'
import type { Task } from '../../src/contracts/tasks.ts'
import { waitFor } from '../../src/retry.ts'
import { ownHop } from '../../src/runtime/hop.ts'
import { Calls } from '../../src/runtime/transport.ts'
import { Processes } from '../helpers/processes.ts'
import { type Brokers, killBroker, startBroker, startBrokers, united } from './bus/brokers.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

const TASKS = 100
const BODY = {
  kind: 'summarize',
  params: { text: 'One thing. Another thing. The same thing again.', sentences: 1 },
}

describe.each(SUITES)('services on three brokers of %s', suite => {
  let lab: Lab
  let brokers: Brokers

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 3 })
    brokers = await startBrokers(lab)
  })
  afterAll(() => lab?.close())

  test('finish a hundred tasks while each broker in turn is killed and comes back', async () => {
    const config = brokers.config()
    const processes = await new Processes({ bus: { amqp: config } }).start([
      ...(['data', 'auth', 'worker', 'llm', 'task', 'executor', 'gateway'] as const),
    ])
    const key = await adminKey(processes)
    const api = apiOf(processes.url, key)
    const ids: string[] = []
    const submits = (async () => {
      for (let n = 0; n < TASKS; n++) {
        ids.push((await api<{ task: Task }>('/api/v1/tasks', BODY)).task.id)
        await sleep(250)
      }
    })()
    for (const node of brokers.nodes) {
      await killBroker(node)
      await sleep(3_000)
      await startBroker(node)
      await united(brokers.nodes)
    }
    await submits
    const tasks = await waitFor(
      { says: 'every task to end', deadlineMs: 240_000, everyMs: 500 },
      async () => {
        const { tasks } = await api<{ tasks: Task[] }>('/api/v1/tasks?limit=500')
        return tasks.filter(t => t.ended).length === TASKS ? tasks : undefined
      },
    )
    expect(tasks.map(t => t.id).toSorted()).toEqual(ids.toSorted())
    expect(new Set(tasks.map(t => t.state))).toEqual(new Set(['done']))
    const attempts = Math.max(...tasks.map(t => t.attempt))
    const took = tasks.map(t => Date.parse(t.ended!) - Date.parse(t.submitted)).sort((a, b) => a - b)
    process.stdout.write(
      `${suite} (${brokers.version}): ${TASKS} tasks done, at most ${attempts} attempts each, from submit to end p50 ${took[TASKS / 2]} ms, longest ${took.at(-1)} ms\n`,
    )
    // They did hear each other over the brokers: nothing else connects those processes.
    for (const name of ['task', 'executor'] as const)
      expect(processes.log(name)).toContain('connected to a broker')
  })
})

async function adminKey(processes: Processes): Promise<string> {
  const calls = new Calls('auth', processes.services)
  onTestFinished(() => calls.close())
  const { key } = await waitFor({ says: 'an admin key', deadlineMs: 30_000 }, () =>
    calls.call(bootstrapKey, ownHop(), { body: { name: 'test' } }),
  )
  return key
}

function apiOf(url: string, key: string) {
  return async <T>(path: string, body?: object): Promise<T> => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const init = body && { method: 'POST', body: JSON.stringify(body) }
    // The services may still be starting; a submit that was answered 503 was not stored.
    for (let n = 0; ; n++) {
      const reply = await fetch(url + path, { ...init, headers, signal: AbortSignal.timeout(20_000) })
      if (reply.ok) return (await reply.json()) as T
      const text = await reply.text()
      if (reply.status !== 503 || n > 50) throw new Error(`${path}: ${reply.status} ${text}`)
      await sleep(200)
    }
  }
}
