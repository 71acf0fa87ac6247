import { request } from 'node:http'
import { join } from 'node:path'
import type { Cluster } from './cluster.ts'

const QUESTIONS = [
  'how do I add a node?',
  'what does cluster up do?',
  'where is the API key saved?',
  'how do I pull a model?',
  'what is a worker?',
]

export interface Asked {
  status: number
  body: { answer?: string; error?: { code: string } }
  retryAfter: string | null
}

/** One question by the native API. */
export async function askOnce(cluster: Cluster, n = 0): Promise<Asked> {
  const reply = await fetch(`${cluster.url}/api/v1/ask`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cluster.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ question: QUESTIONS[n % QUESTIONS.length] }),
  })
  return {
    status: reply.status,
    body: (await reply.json()) as Asked['body'],
    retryAfter: reply.headers.get('retry-after'),
  }
}

/** That many questions, `width` at a time; how many were answered with each status. */
export async function askMany(
  cluster: Cluster,
  o: { count: number; width: number },
): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {}
  let next = 0
  const one = async () => {
    while (next < o.count) {
      const { status } = await askOnce(cluster, next++)
      statuses[status] = (statuses[status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: o.width }, one))
  return statuses
}

export interface Memory {
  /** What JavaScript uses. */
  heapMiB: number
  /** What is resident beside the heap: native libraries and what they hold. */
  nativeMiB: number
}

/**
 * What the cluster's process holds: the lowest of several looks while questions go on, because between two collections the heap holds what
 * nobody needs any more. From one collection to the next it is about 2,000 questions, so look for as long.
 */
export async function memoryWhileAsking(
  cluster: Cluster,
  o: { looks: number; asksBetween: number; width: number },
): Promise<Memory> {
  const seen: Memory[] = []
  for (let i = 0; i < o.looks; i++) {
    const { 200: answered } = await askMany(cluster, { count: o.asksBetween, width: o.width })
    if (answered !== o.asksBetween) throw new Error(`only ${answered} of ${o.asksBetween} were answered`)
    seen.push(await memoryOf(cluster))
  }
  return {
    heapMiB: Math.min(...seen.map(m => m.heapMiB)),
    nativeMiB: Math.min(...seen.map(m => m.nativeMiB)),
  }
}

async function memoryOf(cluster: Cluster): Promise<Memory> {
  const text = await metricsOf(cluster)
  const mib = (name: string) => {
    const found = new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)
    if (!found) throw new Error(`the figures of the process do not hold ${name}`)
    return Number(found[1]) / 1024 / 1024
  }
  const rounded = (n: number) => Math.round(n * 10) / 10
  return {
    heapMiB: rounded(mib('nodejs_heap_size_used_bytes')),
    nativeMiB: rounded(mib('process_resident_memory_bytes') - mib('nodejs_heap_size_total_bytes')),
  }
}

/** The first service of a process tells of the process. */
function metricsOf(cluster: Cluster): Promise<string> {
  const socketPath = join(cluster.folder, 'run/llmagentos/local/data.sock')
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/metrics' }, reply => {
      let text = ''
      reply.setEncoding('utf8').on('data', piece => {
        text += piece
      })
      reply.once('end', () => resolve(text))
    })
      .once('error', reject)
      .end()
  })
}
