import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { clusterYaml } from '../../test/lab/cluster-yaml.ts'
import { type Lab, openLab } from '../../test/lab/lab.ts'
import { median, two } from '../figures.ts'
import { ansible, bareScripts, cli, type Way } from './ways.ts'

const OUT = 'bench/results/noop.json'

const WAYS = ['up', 'bare', 'ansible', 'login'] as const
type Name = (typeof WAYS)[number]

interface Result {
  nodes: number
  /** Medians, seconds: of the wall, and of the processors of this machine, which are those of the nodes too. */
  wall: Record<Name, number>
  cpu: Record<Name, number>
  toBare: number
  toAnsible: number
}

/** Ratios of one run: our wall time may be at most so many of the bare script's, and ansible's must be at least so many of ours. */
const TARGETS: Record<string, { toBare: number; toAnsible: number }> = {
  '3': { toBare: 1.5, toAnsible: 8 },
  '20': { toBare: 2, toAnsible: 20 },
}

export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      nodes: { type: 'string', default: '3,20' },
      rounds: { type: 'string', default: '7' },
      json: { type: 'string', default: OUT },
    },
  })
  const results: Result[] = []
  for (const nodes of values.nodes.split(',').map(Number)) {
    const lab = await openLab({ name: `noop${nodes}`, nodes })
    try {
      results.push(await measured(lab, { rounds: Number(values.rounds) }))
    } finally {
      await lab.close()
    }
  }
  mkdirSync(dirname(values.json), { recursive: true })
  writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`)
  return results.flatMap(told).every(Boolean) ? 0 : 1
}

/** One after the other in each round, so that what else the machine does hits all of them. */
async function measured(lab: Lab, { rounds }: { rounds: number }): Promise<Result> {
  const folder = join(lab.folder, 'bench')
  mkdirSync(folder)
  // One control node, so that all the others are what "SSH-only" means: nothing runs there but sshd.
  const roles = Object.fromEntries(lab.nodes.slice(1).map(({ name }) => [name, 'worker']))
  writeFileSync(join(folder, 'cluster.yaml'), clusterYaml(lab, { roles }))
  await cli(folder, ['cluster', 'up', '--yes', '--accept-new-host-keys'])
  const ways: Record<Name, Way> = {
    up: () => cli(folder, ['cluster', 'up']),
    bare: await bareScripts(lab, folder),
    ansible: await ansible(lab, folder),
    // What no question can be cheaper than.
    login: () => cli(folder, ['node', 'exec', '--', 'true']),
  }
  const seen: { name: Name; wall: number; cpu: number }[] = []
  for (let round = 0; round <= rounds; round++)
    for (const name of WAYS) {
      // Two of ansible's are enough: it takes as long as all the others together.
      if (name === 'ansible' && round > 2) continue
      const [began, busy] = [performance.now(), busySeconds()]
      await ways[name]()
      const wall = (performance.now() - began) / 1000
      if (round > 0) seen.push({ name, wall, cpu: busySeconds() - busy })
    }
  const medians = (of: 'wall' | 'cpu') =>
    Object.fromEntries(
      WAYS.map(name => [name, median(seen.filter(one => one.name === name).map(one => one[of]))]),
    ) as Record<Name, number>
  const wall = medians('wall')
  return {
    nodes: lab.nodes.length,
    wall,
    cpu: medians('cpu'),
    toBare: wall.up / wall.bare,
    toAnsible: wall.ansible / wall.up,
  }
}

/** What the processors of this machine have worked since it started, for whomever. */
const busySeconds = () =>
  cpus().reduce((sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) / 1000, 0)

function told(r: Result): boolean[] {
  console.log(`Load at the end: ${loadavg().map(two).join(' ')}`)
  const line = (of: Record<Name, number>) =>
    `cluster up ${two(of.up)} s, bare script ${two(of.bare)} s, ansible-playbook ${two(of.ansible)} s, login alone ${two(of.login)} s`
  console.log(`${r.nodes} nodes: ${line(r.wall)}`)
  console.log(`  of the processors: ${line(r.cpu)}`)
  const target = TARGETS[String(r.nodes)]
  if (!target) return []
  const lines: [boolean, string][] = [
    [r.toBare <= target.toBare, `of the bare script's time: ${two(r.toBare)}, at most ${target.toBare}`],
    [
      r.toAnsible >= target.toAnsible,
      `times faster than ansible: ${two(r.toAnsible)}, at least ${target.toAnsible}`,
    ],
  ]
  for (const [met, says] of lines) console.log(`  ${met ? 'met   ' : 'MISSED'}  ${says}`)
  return lines.map(([met]) => met)
}
