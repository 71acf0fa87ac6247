import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { clusterYaml } from '../../test/lab/cluster-yaml.ts'
import { type Lab, openLab } from '../../test/lab/lab.ts'
import { median, slope, two } from '../figures.ts'
import { cli, scriptsByXargs } from '../noop/ways.ts'

const OUT = 'bench/results/slope.json'
/** Ours may grow by at most so many times what xargs grows by with each node. */
const TARGET = 1.5

interface Point {
  nodes: number
  /** Medians, seconds. */
  plan: number
  xargs: number
}

/**
 * One cluster over all nodes, of which the first so many are asked: one control node, all others are what "SSH-only" means, nothing of
 * ours runs there but what the component `base` keeps.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      nodes: { type: 'string', default: '1,5,20,50' },
      rounds: { type: 'string', default: '5' },
      json: { type: 'string', default: OUT },
    },
  })
  const sizes = values.nodes.split(',').map(Number)
  const lab = await openLab({ name: 'slope', nodes: Math.max(...sizes) })
  try {
    const points = await measured(lab, { sizes, rounds: Number(values.rounds) })
    return told(points, values.json)
  } finally {
    await lab.close()
  }
}

async function measured(lab: Lab, o: { sizes: number[]; rounds: number }): Promise<Point[]> {
  const folder = join(lab.folder, 'bench')
  mkdirSync(folder)
  const roles = Object.fromEntries(lab.nodes.slice(1).map(({ name }) => [name, 'worker']))
  writeFileSync(join(folder, 'cluster.yaml'), clusterYaml(lab, { roles }))
  await cli(folder, ['cluster', 'up', '--yes', '--accept-new-host-keys'])
  console.log(`${lab.nodes.length} nodes are up; load ${loadavg().map(two).join(' ')}`)
  const times = o.sizes.map(nodes => ({ nodes, plan: [] as number[], xargs: [] as number[] }))
  // One after the other in each round, so that what else the machine does hits all of them; the first round warms up.
  for (let round = 0; round <= o.rounds; round++)
    for (const { nodes, ...taken } of times) {
      const names = lab.nodes.slice(0, nodes).map(({ name }) => name)
      const ways = {
        plan: () => cli(folder, ['cluster', 'plan', '--exit-code', '--on', names.join(',')]),
        xargs: await scriptsByXargs(lab, { folder, names }),
      }
      for (const way of ['plan', 'xargs'] as const) {
        const began = performance.now()
        await ways[way]()
        if (round > 0) taken[way].push((performance.now() - began) / 1000)
      }
    }
  return times.map(({ nodes, plan, xargs }) => ({ nodes, plan: median(plan), xargs: median(xargs) }))
}

function told(points: Point[], file: string): number {
  const growth = (way: 'plan' | 'xargs') => slope(points.map(point => ({ x: point.nodes, y: point[way] })))
  const [plan, xargs] = [growth('plan'), growth('xargs')]
  for (const { nodes, ...taken } of points)
    console.log(
      `${nodes} nodes: cluster plan ${two(taken.plan)} s, xargs -P ${nodes} ssh ${two(taken.xargs)} s`,
    )
  const ratio = plan / xargs
  const met = ratio <= TARGET
  console.log(
    `With each node: cluster plan ${(plan * 1000).toFixed(0)} ms, xargs ${(xargs * 1000).toFixed(0)} ms`,
  )
  console.log(`  ${met ? 'met   ' : 'MISSED'}  of the slope of xargs: ${two(ratio)}, at most ${TARGET}`)
  console.log(`Load at the end: ${loadavg().map(two).join(' ')}`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ points, plan, xargs, ratio, target: TARGET }, undefined, 2)}\n`)
  return met ? 0 : 1
}
