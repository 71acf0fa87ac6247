import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../helpers/cluster.ts'

const IDLE_MS = 60_000
const MOST_MIB = 300

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.stop())

test(`an idle one-machine cluster takes less than ${MOST_MIB} MiB, all its processes together`, async () => {
  expect((await cluster.run('ask', 'how do I add a node?')).code).toBe(0)
  expect((await cluster.run('task', 'submit', '--wait', 'how do I add a node?')).code).toBe(0)
  await sleep(IDLE_MS)
  const all = [cluster.pid, ...childrenOf(cluster.pid)].map(memoryOf)
  const sum = { rss: total(all.map(m => m.rss)), pss: total(all.map(m => m.pss)) }
  for (const m of all)
    process.stdout.write(`  ${m.pid}  RSS ${mib(m.rss)}  PSS ${mib(m.pss)}  ${m.command}\n`)
  process.stdout.write(`  together  RSS ${mib(sum.rss)}  PSS ${mib(sum.pss)}\n`)
  expect(sum.rss / 1024).toBeLessThan(MOST_MIB)
})

/** Children and theirs, as the kernel lists them. */
function childrenOf(pid: number): number[] {
  const direct = readdirSync(`/proc/${pid}/task`)
    .flatMap(task => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter(Boolean)
    .map(Number)
  return direct.flatMap(child => [child, ...childrenOf(child)])
}

function memoryOf(pid: number) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)![1])
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 120)
  return { pid, rss: kib('Rss'), pss: kib('Pss'), command }
}

const total = (values: number[]) => values.reduce((sum, v) => sum + v, 0)
const mib = (kib: number) => `${Math.round(kib / 1024)} MiB`
