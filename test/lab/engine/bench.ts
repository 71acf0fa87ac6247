import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { onTestFinished } from 'vitest'
import type { Connection } from '../../../src/provision/connections/connection.ts'
import { Connections, type RunOptions } from '../../../src/provision/connections/connections.ts'
import { type Applied, type ApplyOptions, applyWaves } from '../../../src/provision/reconcile/apply.ts'
import { type Act, type Step, step } from '../../../src/provision/reconcile/step.ts'
import { type Lab, openLab, type Suite } from '../lab.ts'
import type { Job } from './cli.ts'

/** Real nodes n1 to n3, ways onto them, and the engine. */
export class Bench {
  readonly lab: Lab
  readonly #open: Connections[] = []

  static async open(name: string, suite: Suite): Promise<Bench> {
    return new Bench(await openLab({ name, suite, nodes: 3 }))
  }

  private constructor(lab: Lab) {
    this.lab = lab
  }

  /** Ways of a CLI of its own. */
  async connect(o: Partial<RunOptions> = {}): Promise<Map<string, Connection>> {
    const connections = new Connections({ config: 'none', env: {}, knownHosts: this.lab.knownHosts, ...o })
    this.#open.push(connections)
    const { key } = this.lab
    const ways = this.lab.nodes.map(async ({ name, address }) => {
      return [
        name,
        await connections.to({ node: name, host: address, user: 'ops', identityFile: key }),
      ] as const
    })
    return new Map(await Promise.all(ways))
  }

  /** Runs steps as one wave, as a run of their own. */
  async apply(steps: Step[], o: Partial<ApplyOptions> = {}): Promise<Applied> {
    const connections = o.connections ?? (await this.connect())
    const defaults = { run: newRun(), who: 'story@lab', number: 1, component: 'story' }
    return applyWaves([{ says: 'the story', steps }], { ...defaults, ...o, connections })
  }

  /** What a command prints on a node, as root. */
  async says(node: string, script: string): Promise<string> {
    const { stdout, stderr } = await this.lab.node(node).ssh(['sh', '-c', script])
    return stdout || stderr
  }

  /** Lines of the node's journal about one step. */
  async journal(node: string, id: string): Promise<string[]> {
    const lines = await this.says(node, `grep -F ${id} /var/lib/llmagentos/journal.ndjson`)
    return lines
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).outcome)
  }

  /** A CLI as a process of its own, ended with the test. */
  async cli(job: Pick<Job, 'who' | 'steps'> & Partial<Job>): Promise<Cli> {
    const { lab } = this
    // Where node finds the packages that the bundle leaves out, and git does not look.
    const program = join('node_modules', '.cache', `engine-cli-${randomBytes(4).toString('hex')}.mjs`)
    onTestFinished(() => rmSync(program, { force: true }))
    await build({
      entryPoints: ['test/lab/engine/cli.ts'],
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      logLevel: 'warning',
    })
    const { knownHosts, key } = lab
    const nodes = lab.nodes.map(({ name, address }) => ({ name, address }))
    return new Cli(program, { run: newRun(), waitMs: 0, knownHosts, key, nodes, ...job })
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map(connections => connections.close()))
    await this.lab.close()
  }
}

export class Cli {
  readonly events: { type: string; [field: string]: unknown }[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  #wake = () => {}

  constructor(program: string, job: Job) {
    this.#child = spawn(process.execPath, [program, JSON.stringify(job)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#ended = once(this.#child, 'close').then(([code]) => code)
    createInterface({ input: this.#child.stdout! }).on('line', line => {
      this.events.push(JSON.parse(line))
      this.#wake()
    })
    void this.#ended.then(() => this.#wake())
    onTestFinished(() => {
      this.#child.kill('SIGKILL')
    })
  }

  /** The first event of this type. */
  async event(type: string) {
    for (;;) {
      const found = this.events.find(event => event.type === type)
      if (found) return found
      if (this.#child.exitCode !== null)
        throw new Error(`it ended without ${type}: ${JSON.stringify(this.events)}`)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  /** Its exit code. */
  ended(): Promise<number | null> {
    return this.#ended
  }
}

export const newRun = () => randomBytes(8).toString('hex')

export function does(node: string, act: Act, o: Partial<Step> = {}): Step {
  const says = `${act.do} ${'path' in act ? act.path : ''}`
  return step({ node, says, risk: 'add', deadlineMs: 60_000, act, ...o })
}

/** A step that runs a script. */
export function runs(node: string, script: string, o: Partial<Step> = {}): Step {
  return does(node, { do: 'run', argv: ['sh', '-c', script] }, { says: script.slice(0, 60), ...o })
}
