import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { commandLine } from '../../src/assets.ts'
import { type CliRun, homeIn, runCli } from '../helpers/cli.ts'
import type { Lab } from './lab.ts'

export { clusterYaml } from './cluster-yaml.ts'

/** An operator with a folder, a cluster.yaml in it, and the host keys of the lab's nodes enrolled. */
export interface Operator {
  folder: string
  write(text: string): void
  /** In this process. */
  cli(...args: string[]): Promise<CliRun>
  /** A process of its own, as the shell would start it. */
  start(...args: string[]): Started
}

export interface Started {
  child: ChildProcess
  /** Each line of standard output that is JSON, as it comes. */
  events: AsyncIterable<Event>
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

export interface Event {
  event: string
  step?: { node: string; says: string }
  [more: string]: unknown
}

/** Their folder goes with the lab. */
export async function operator(lab: Lab, text: string): Promise<Operator> {
  const folder = mkdtempSync(join(lab.folder, 'operator-'))
  const write = (now: string) => writeFileSync(join(folder, 'cluster.yaml'), now)
  write(text)
  const cli = (...args: string[]) => runCli(args, { folder })
  const enrolled = await cli('node', 'list', '--accept-new-host-keys')
  if (enrolled.code !== 0) throw new Error(`the nodes were not enrolled: ${enrolled.stderr}`)
  return { folder, write, cli, start: (...args) => start(args, folder) }
}

function start(args: string[], folder: string): Started {
  const [program, ...words] = [...commandLine(), ...args]
  const child = spawn(program!, words, {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...homeIn(folder) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out = { stdout: '', stderr: '' }
  child.stderr.on('data', chunk => (out.stderr += chunk))
  child.stdout.on('data', chunk => (out.stdout += chunk))
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve =>
    child.on('close', code => resolve({ code, ...out })),
  )
  return { child, events: eventsOf(child), ended }
}

async function* eventsOf(child: ChildProcess): AsyncIterable<Event> {
  for await (const line of createInterface({ input: child.stdout! }))
    if (line.startsWith('{')) yield JSON.parse(line)
}
