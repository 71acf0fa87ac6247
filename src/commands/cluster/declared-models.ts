import { setTimeout as sleep } from 'node:timers/promises'
import type { Model } from '../../contracts/models.ts'
import { EXIT, Failure } from '../../errors.ts'
import type { Cluster } from '../../provision/index.ts'
import type { Client } from '../../runtime/client/index.ts'
import type { Io } from '../command.ts'
import { pullBy } from '../model/pull.ts'

/** A worker that has just started tells llm within moments which models it has. */
const KNOWN_MS = 30_000
const AGAIN_MS = 1_000

/** What `models:` of the file names is brought to the workers that it means. Gives a line for each that had to come. */
export async function placeModels(cluster: Cluster, o: { io: Io; json: boolean }): Promise<string[]> {
  if (cluster.models.length === 0) return []
  const { openClientOf } = await import('../../runtime/index.ts')
  const client = openClientOf(cluster.name, o.io)
  try {
    const lines: string[] = []
    for (const model of cluster.models) {
      const workers = await placed(client, model, { cluster, ...o })
      if (workers) lines.push(`  model    ${model.name} came to ${workers.join(', ')}`)
    }
    return lines
  } finally {
    await client.close()
  }
}

/** The workers that have it now; undefined where nothing was to do. */
async function placed(
  client: Client,
  { name, replicas, on }: Cluster['models'][number],
  { cluster, io, json }: { cluster: Cluster; io: Io; json: boolean },
): Promise<string[] | undefined> {
  const { chosen } = await import('../../provision/index.ts')
  const { listModels } = await import('../../contracts/models.ts')
  const meant = cluster.nodes.filter(node => chosen(node, on)).map(node => node.name)
  for (
    const until = performance.now() + KNOWN_MS;
    ;
    await sleep(AGAIN_MS, undefined, { signal: io.signal })
  ) {
    const { models } = await client.call(listModels)
    if (having(models, name).filter(worker => meant.includes(worker)).length >= replicas) return undefined
    try {
      const on = await pullBy(client, name, { io, json, workers: replicas, among: meant })
      return on.filter(worker => meant.includes(worker))
    } catch (thrown) {
      if (!isEarly(thrown) || performance.now() > until) throw unplaced(name, thrown)
    }
  }
}

const having = (models: Model[], name: string): string[] =>
  models.find(model => model.name === name || model.name === `${name}:latest`)?.workers ?? []

/** Not all workers were heard of yet. */
const isEarly = (thrown: unknown) =>
  thrown instanceof Failure && ['too_few', 'no_worker', 'no_engine'].includes(codeIn(thrown.cause))

const codeIn = (cause: unknown): string => (cause as { code?: string } | undefined)?.code ?? ''

const unplaced = (name: string, thrown: unknown) =>
  thrown instanceof Failure
    ? new Failure(`The machines are as the file says, and the model ${name} is not where it shall be.`, {
        exit: EXIT.unhealthy,
        why: thrown.message,
        next: thrown.next ?? 'Run `cluster up` again; what has come already does not come twice.',
        cause: thrown,
      })
    : thrown
