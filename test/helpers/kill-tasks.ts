import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FINAL, type Task, type TaskDetail } from '../../src/contracts/tasks.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { seeded } from './memory-records.ts'

export interface KillReport {
  kills: { cluster: number; child: number }
  /** Ids that were accepted, one per submission. */
  accepted: string[]
  /** What the cluster lists in the end. */
  listed: Task[]
  /** Of each accepted task: the outcomes of its attempts in order. */
  attempts: Map<string, string[]>
  /** Child programs of killed clusters that still lived a little later. */
  orphans: number[]
  states: Record<string, number>
  /** Attempts that ended without a final end: the kills did hit work. */
  interrupted: Record<string, number>
}

const AT_ONCE = 8
const SETTLED_MS = 240_000
const BODIES = [
  { text: 'how do I add a node?' },
  { text: 'what does cluster down keep?', priority: 'high' },
  { kind: 'summarize', params: { text: 'One thing. Another thing. The same thing again.', sentences: 1 } },
  { kind: 'classify', params: { text: 'hello', labels: ['a', 'b'] } },
]

/**
 * Submits tasks to a real one-machine cluster while the whole of it, and now and then a child program alone, is killed
 * with SIGKILL at moments the seed chooses.
 */
export async function killWhileWorking(o: {
  tasks: number
  kills: number
  seed: number
}): Promise<KillReport> {
  const random = seeded(o.seed)
  const cluster = await startCluster()
  try {
    const submits = submitAll(cluster, o.tasks)
    const kills = { cluster: 0, child: 0 }
    const orphans: number[] = []
    for (let k = 0; k < o.kills; k++) {
      await sleep(50 + random() * 1_200)
      const children = childrenOf(pidOf(cluster))
      if (random() < 0.4 && children.length > 0) {
        kill(children[Math.floor(random() * children.length)]!)
        kills.child++
        await sleep(random() * 500)
      }
      children.push(...childrenOf(pidOf(cluster)))
      kills.cluster++
      kill(pidOf(cluster))
      const up = await cluster.run('cluster', 'up', '--port', new URL(cluster.url).port)
      if (up.code !== 0) throw new Error(`cluster up after a kill ended with ${up.code}: ${up.stderr}`)
      orphans.push(...children.filter(isAlive))
    }
    const accepted = await submits
    const listed = await settled(cluster, o.tasks)
    const attempts = await outcomes(cluster, accepted)
    const states = counted(listed.map(t => t.state))
    const interrupted = counted([...attempts.values()].flat().filter(outcome => !isFinal(outcome)))
    return { kills, accepted, listed, attempts, orphans: orphans.filter(isAlive), states, interrupted }
  } finally {
    await cluster.stop()
  }
}

function counted(words: string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

/** Each submission is repeated under its idempotency key until it was accepted, as a careful client does. */
async function submitAll(cluster: Cluster, count: number): Promise<string[]> {
  const ids: string[] = []
  let next = 0
  const one = async () => {
    for (let i = next++; i < count; i = next++) {
      ids[i] = await persist(async () => {
        const headers = { 'idempotency-key': `task-${i}`, 'content-type': 'application/json' }
        const body = JSON.stringify(BODIES[i % BODIES.length])
        const reply = await api(cluster, '/api/v1/tasks', { method: 'POST', headers, body })
        if (reply.status < 500 && reply.status !== 202 && reply.status !== 429)
          throw new Refused(`a submit was refused: ${reply.status} ${await reply.text()}`)
        return reply.status === 202 ? ((await reply.json()) as { task: Task }).task.id : undefined
      })
      // Slow enough that the kills fall between submits too, and not all of them after.
      await sleep(20)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return ids
}

class Refused extends Error {}

async function persist<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + SETTLED_MS
  for (;;) {
    const done = await attempt().catch(thrown => {
      if (thrown instanceof Refused || performance.now() > end) throw thrown
      return undefined
    })
    if (done !== undefined) return done
    if (performance.now() > end) throw new Error('nothing was accepted for four minutes')
    await sleep(50)
  }
}

/** Waits until every listed task has ended. */
function settled(cluster: Cluster, count: number): Promise<Task[]> {
  return persist(async () => {
    const tasks: Task[] = []
    for (let after: string | undefined; ; ) {
      const query = new URLSearchParams({ limit: '500', ...(after && { after }) })
      const reply = await api(cluster, `/api/v1/tasks?${query}`)
      const page = (await reply.json()) as { tasks: Task[]; next?: string }
      tasks.push(...page.tasks)
      if (!page.next) break
      after = page.next
    }
    if (tasks.length > count) throw new Refused(`${tasks.length} tasks are listed of ${count}`)
    const ended = tasks.filter(t => t.ended).length
    if (ended === count) return tasks
    await sleep(300)
    return undefined
  })
}

async function outcomes(cluster: Cluster, ids: string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (const id of ids) {
    const reply = await api(cluster, `/api/v1/tasks/${id}`)
    const detail = (await reply.json()) as TaskDetail
    found.set(
      id,
      detail.attempts.map(a => a.outcome),
    )
  }
  return found
}

/** What is wrong, in words: every accepted task has exactly one final end, as its last attempt's, and nothing else is there. */
export function faultsOf(r: KillReport, tasks: number): string[] {
  const faults: string[] = []
  const ids = new Set(r.accepted)
  if (ids.size !== tasks) faults.push(`${ids.size} different ids were accepted, not ${tasks}`)
  const listed = new Map(r.listed.map(t => [t.id, t]))
  if (listed.size !== r.listed.length) faults.push('a task is listed twice')
  for (const id of listed.keys()) if (!ids.has(id)) faults.push(`${id} is listed and was never accepted`)
  for (const id of ids) {
    const outcomes = r.attempts.get(id) ?? []
    const finals = outcomes.filter(isFinal)
    if (finals.length !== 1) faults.push(`${id} has ${finals.length} final ends: ${outcomes.join(', ')}`)
    if (finals[0] !== listed.get(id)?.state)
      faults.push(`${id} ended ${finals[0]} and is listed as ${listed.get(id)?.state}`)
    if (!isFinal(outcomes.at(-1) ?? ''))
      faults.push(`${id} has an attempt after its end: ${outcomes.join(', ')}`)
  }
  if (r.orphans.length > 0) faults.push(`children outlived their cluster: ${r.orphans.join(', ')}`)
  return faults
}

const isFinal = (outcome: string) => FINAL.some(f => f === outcome)

const api = (cluster: Cluster, path: string, init: RequestInit = {}) =>
  fetch(cluster.url + path, {
    ...init,
    headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${cluster.key}` },
    signal: AbortSignal.timeout(20_000),
  })

/** Another after each start. */
const pidOf = (cluster: Cluster): number =>
  JSON.parse(readFileSync(join(cluster.folder, 'state/llmagentos/local/process.json'), 'utf8')).pid

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It had just ended by itself.
  }
}

/** A zombie has ended; only its parent, init here, has not looked yet. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
