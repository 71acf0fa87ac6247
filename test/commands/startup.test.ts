import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../src/assets.ts'
import { runCli } from '../helpers/cli.ts'

const BIN = join(packageRoot(), 'bin', 'llmagentos.js')

describe('the time to start', () => {
  /**
   * Neighbours on the same cores only ever make a run slower. So the three are run in turn, the median of the faster half of many
   * runs is compared, and the whole measure is taken up to three times before it counts as too slow.
   */
  test('of --version is at most 1.3 times that of node itself, and of --help 1.5 times', {
    timeout: 120_000,
  }, () => {
    const tries = []
    for (let i = 0; i < 3; i++) {
      const ratios = measure(31)
      if (ratios.version <= 1.3 && ratios.help <= 1.5) return
      tries.push(ratios)
    }
    expect.fail(`too slow in each of ${tries.length} measures: ${JSON.stringify(tries)}`)
  })
})

test('what is printed without loading the program is what the program prints', async () => {
  for (const flag of ['--version', '-V', '--help', '-h']) {
    const built = spawnSync(process.execPath, [BIN, flag], { encoding: 'utf8' })
    expect({ stdout: built.stdout, stderr: built.stderr, code: built.status }).toEqual(await runCli([flag]))
  }
})

describe('what --version and --help load', () => {
  const HEAVY = [
    'ink',
    'react',
    'ssh2',
    '@lancedb/lancedb',
    'apache-arrow',
    'lmdb',
    'fastify',
    'undici',
    'jose',
    'pino',
  ]
  const closure = staticClosure(['dist/main.js', chunkOf('src/commands/program.ts')])

  test('is no package that only some commands need', () => {
    const loaded = closure.inputs
      .filter(file => file.includes('node_modules/'))
      .map(file => file.split('node_modules/').at(-1)!)
    const heavy = HEAVY.filter(name =>
      [...loaded, ...closure.external].some(l => l === name || l.startsWith(`${name}/`)),
    )
    expect(heavy).toEqual([])
  })

  test('is nothing of a service, and of the runtime and the builders nothing at all', () => {
    expect(closure.inputs.filter(file => /^src\/(runtime|provision)\//.test(file))).toEqual([])
  })

  test('is the parser and the registry', () => {
    expect(closure.inputs).toEqual(
      expect.arrayContaining(['src/main.ts', 'src/commands/program.ts', 'src/commands/index.ts']),
    )
  })
})

function measure(rounds: number): { version: number; help: number; nodeMs: number } {
  const samples: { node: number[]; version: number[]; help: number[] } = { node: [], version: [], help: [] }
  for (let i = 0; i < rounds; i++) {
    samples.node.push(millisecondsOf(['-e', '0']))
    samples.version.push(millisecondsOf([BIN, '--version']))
    samples.help.push(millisecondsOf([BIN, '--help']))
  }
  const node = typical(samples.node)
  return { version: typical(samples.version) / node, help: typical(samples.help) / node, nodeMs: node }
}

function millisecondsOf(args: string[]): number {
  const start = performance.now()
  const run = spawnSync(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  const took = performance.now() - start
  expect({ status: run.status, stderr: String(run.stderr) }).toEqual({ status: 0, stderr: '' })
  return took
}

const typical = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 4)]!

interface Output {
  entryPoint?: string
  inputs: Record<string, unknown>
  imports: { path: string; kind: string; external?: boolean }[]
}

function outputs(): Record<string, Output> {
  const file = join(packageRoot(), 'dist', 'meta.json')
  if (!existsSync(file)) throw new Error('dist/ is not built: run node scripts/build.js')
  return JSON.parse(readFileSync(file, 'utf8')).outputs
}

function chunkOf(source: string): string {
  const chunk = Object.entries(outputs()).find(([, o]) => o.entryPoint === source)?.[0]
  if (!chunk) throw new Error(`${source} has no chunk of its own in the bundle`)
  return chunk
}

/** All that is loaded with these outputs before a single import() runs. */
function staticClosure(roots: string[]): { inputs: string[]; external: string[] } {
  const all = outputs()
  const seen = new Set<string>()
  const external = new Set<string>()
  const queue = [...roots]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    for (const i of all[next]!.imports.filter(i => i.kind !== 'dynamic-import')) {
      if (i.external) external.add(i.path)
      else queue.push(i.path)
    }
  }
  return { inputs: [...seen].flatMap(file => Object.keys(all[file]!.inputs)), external: [...external] }
}
