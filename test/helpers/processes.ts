import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { commandLine } from '../../src/assets.ts'
import type { BusConfig } from '../../src/contracts/bus.ts'
import type { Address } from '../../src/contracts/config.ts'
import { SERVICES, type ServiceName } from '../../src/contracts/identity.ts'
import { homeIn } from './cli.ts'
import { tempFolder } from './temp.ts'

/** One process: `auth` is the first of a service, `auth-1` the next. */
export type Instance = ServiceName | `${ServiceName}-${number}`

/**
 * Services as real processes on the sockets of one folder: what a cluster's machines run. One each, or as many as `replicas` says. They end with the
 * test. Tasks need a bus.
 */
export class Processes {
  readonly folder = tempFolder()
  readonly services: Record<string, Address[]>
  readonly #children = new Map<Instance, ChildProcess>()
  url = ''

  readonly #bus?: BusConfig

  constructor(o: { bus?: BusConfig; replicas?: Partial<Record<ServiceName, number>> } = {}) {
    this.#bus = o.bus
    const at = (name: ServiceName) => instancesOf(name, o.replicas?.[name]).map(id => this.#at(id))
    this.services = Object.fromEntries(SERVICES.map(name => [name, at(name)]))
    onTestFinished(() => this.stop())
  }

  async start(names: ServiceName[]): Promise<this> {
    const port = await freePort()
    this.url = `http://127.0.0.1:${port}`
    for (const name of names)
      for (const id of this.instances(name))
        await this.#start(id, { name, config: this.#config(name, id, port) })
    return this
  }

  instances(name: ServiceName): Instance[] {
    return instancesOf(name, this.services[name]!.length)
  }

  signal(id: Instance, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#children.get(id)!.kill(signal)
  }

  /** Starts one again that has ended, as it was started first. */
  async again(id: Instance): Promise<void> {
    await this.#run(id)
  }

  /** Kills one, and returns when it is gone. */
  async kill(id: Instance): Promise<void> {
    const child = this.#children.get(id)!
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** What a service logged, for the message of a test that fails. */
  log(id: Instance): string {
    return readFileSync(join(this.folder, `${id}.log`), 'utf8')
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children.keys()].reverse().map(id => this.kill(id)))
  }

  async #start(id: Instance, service: { name: ServiceName; config: object }): Promise<void> {
    writeFileSync(join(this.folder, `${id}.json`), JSON.stringify({ bus: this.#bus, services: [service] }))
    await this.#run(id)
  }

  async #run(id: Instance): Promise<void> {
    const file = join(this.folder, `${id}.json`)
    const log = openSync(join(this.folder, `${id}.log`), 'a')
    const [node, ...args] = commandLine()
    const child = spawn(node!, [...args, 'serve', '--config', file], {
      env: { PATH: process.env['PATH'], ...homeIn(this.folder) },
      stdio: ['ignore', log, log, 'ipc'],
    })
    this.#children.set(id, child)
    await new Promise<void>((resolve, reject) => {
      child.once('message', told => {
        if ((told as { ready?: boolean }).ready) resolve()
        else reject(new Error(`${id} did not start: ${JSON.stringify(told)}`))
      })
      child.once('exit', code => reject(new Error(`${id} ended with ${code}:\n${this.log(id)}`)))
    })
  }

  #config(name: ServiceName, id: Instance, port: number): object {
    const common = { services: this.services, listen: this.#at(id) }
    const own: Partial<Record<ServiceName, object>> = {
      data: { store: { embedded: join(this.folder, 'store') }, indexFolder: join(this.folder, 'index') },
      auth: { stateFolder: join(this.folder, id), maxStaleMs: 1000 },
      llm: { requestLog: join(this.folder, 'requests.jsonl'), filters: [], maxAnswerChars: 100_000 },
      worker: { name: 'w', slots: 2, backend: 'extractive', ollama: { url: 'http://127.0.0.1:1' } },
      gateway: { cluster: 'test', host: '127.0.0.1', port },
      executor: { slots: 1 },
    }
    return { ...common, ...own[name] }
  }

  #at(id: Instance): Address {
    return { socket: join(this.folder, `${id}.sock`) }
  }
}

const instancesOf = (name: ServiceName, count = 1): Instance[] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? name : (`${name}-${i}` as const)))

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
