import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { onTestFinished } from 'vitest'
import { type Lab, type LabNode, openLab, type Suite } from '../lab.ts'
import type { Job } from './cli.ts'

export interface Event {
  type: string
  node?: string
  says?: string
  // biome-ignore lint/suspicious/noExplicitAny: each type of event has its own fields
  [field: string]: any
}

export interface Ran {
  code: number | null
  events: Event[]
  /** All that it printed. */
  text: string
  /** `n1: make the secret x`, of steps that were done. */
  did: string[]
  failure?: Event
}

/** Control nodes of a lab, and CLIs as processes. */
export class SecretsBench {
  readonly lab: Lab
  readonly #program = join('node_modules', '.cache', `secrets-cli-${randomBytes(4).toString('hex')}.mjs`)

  static async open(o: { name: string; suite?: Suite; nodes: number }): Promise<SecretsBench> {
    const bench = new SecretsBench(await openLab(o))
    await build({
      entryPoints: ['test/lab/secrets/cli.ts'],
      outfile: bench.#program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      logLevel: 'warning',
    })
    return bench
  }

  private constructor(lab: Lab) {
    this.lab = lab
  }

  /** A cluster.yaml of the lab's nodes: three control nodes, or one and workers. */
  file(o: { name?: string; offline?: string[]; more?: string } = {}): string {
    const nodes = this.lab.nodes.map(
      ({ name, address }, i) =>
        `  - {name: ${name}, address: ${address}, roles: [${i === 0 || this.lab.nodes.length === 3 ? 'control' : 'worker'}]${o.offline?.includes(name) ? ', state: offline' : ''}}\n`,
    )
    return `name: ${o.name ?? 'halle'}\n${o.more ?? 'recovery: none\n'}ssh: {user: ops, identityFile: ${this.lab.key}}\nnodes:\n${nodes.join('')}`
  }

  start(job: Partial<Job> = {}): Running {
    const whole: Job = {
      do: 'up',
      who: 'ada@desk',
      file: this.file(),
      story: { secrets: ['alpha', 'beta'] },
      knownHosts: this.lab.knownHosts,
      ...job,
    }
    return new Running(this.#program, whole)
  }

  run(job: Parameters<SecretsBench['start']>[0] = {}): Promise<Ran> {
    return this.start(job).ended
  }

  /** The next run after one that was killed: its lock is taken away, as `cluster lock release` does, so that nobody waits for a minute. */
  async afterKill(): Promise<Ran> {
    await this.each(node => node.run('rm -f /var/lib/llmagentos/lock/lease'))
    return this.run()
  }

  /** What each node has of a secret; an empty text where it has none. */
  values(name: string): Promise<string[]> {
    return this.each(node => node.run(`cat /var/lib/llmagentos/secrets/${name} 2>/dev/null || :`))
  }

  each<T>(what: (node: LabNode) => Promise<T>): Promise<T[]> {
    return Promise.all(this.lab.nodes.map(what))
  }

  /** As if nothing of ours had ever been on the nodes. */
  async clean(): Promise<void> {
    await this.each(node =>
      node.run(
        'systemctl disable --now story-tls.service 2>/dev/null || :; rm -rf /var/lib/llmagentos /etc/llmagentos /run/llmagentos /etc/story-* /etc/systemd/system/story-tls.service /run/story-reloads; systemctl daemon-reload',
      ),
    )
  }

  async close(): Promise<void> {
    rmSync(this.#program, { force: true })
    await this.lab.close()
  }
}

export class Running {
  readonly child: ChildProcess
  readonly events: Event[] = []
  readonly ended: Promise<Ran>
  #wake = () => {}

  constructor(program: string, job: Job) {
    this.child = spawn(process.execPath, [program, JSON.stringify(job)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    for (const stream of [this.child.stdout!, this.child.stderr!])
      createInterface({ input: stream }).on('line', line => {
        text += `${line}\n`
        if (line.startsWith('{')) this.events.push(JSON.parse(line))
        this.#wake()
      })
    this.ended = new Promise(resolve =>
      this.child.on('close', code => {
        resolve({ code, events: this.events, text, ...about(this.events) })
        this.#wake()
      }),
    )
    onTestFinished(() => void this.child.kill('SIGKILL'))
  }

  /** Waits for the first event of which this is true. */
  async until(is: (event: Event) => boolean): Promise<Event> {
    for (;;) {
      const found = this.events.find(is)
      if (found) return found
      if (this.child.exitCode !== null) throw new Error(`it ended before: ${JSON.stringify(this.events)}`)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}

function about(events: Event[]): Pick<Ran, 'did' | 'failure'> {
  return {
    did: events.filter(e => e.type === 'done').map(e => `${e.node}: ${e.says}`),
    failure: events.find(e => e.type === 'failure'),
  }
}
