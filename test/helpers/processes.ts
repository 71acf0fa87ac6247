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

/** Services as real processes, one each, on the sockets of one folder: what a cluster's machines run. They end with the test. Tasks need a bus. */
export class Processes {
  readonly folder = tempFolder()
  readonly services: Record<string, Address[]>
  readonly #children = new Map<ServiceName, ChildProcess>()
  url = ''

  readonly #bus?: BusConfig

  constructor(o: { bus?: BusConfig } = {}) {
    this.#bus = o.bus
    this.services = Object.fromEntries(SERVICES.map(name => [name, [this.#at(name)]]))
    onTestFinished(() => this.stop())
  }

  async start(names: ServiceName[]): Promise<this> {
    const port = await freePort()
    this.url = `http://127.0.0.1:${port}`
    for (const name of names) await this.#start(name, { ...this.#config(name, port) })
    return this
  }

  signal(name: ServiceName, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#children.get(name)!.kill(signal)
  }

  /** What a service logged, for the message of a test that fails. */
  log(name: ServiceName): string {
    return readFileSync(join(this.folder, `${name}.log`), 'utf8')
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#children.values()].reverse().map(child => {
        if (child.exitCode !== null || child.signalCode !== null) return undefined
        const ended = new Promise(resolve => child.once('exit', resolve))
        child.kill('SIGKILL')
        return ended
      }),
    )
  }

  async #start(name: ServiceName, config: object): Promise<void> {
    const file = join(this.folder, `${name}.json`)
    writeFileSync(file, JSON.stringify({ bus: this.#bus, services: [{ name, config }] }))
    const log = openSync(join(this.folder, `${name}.log`), 'a')
    const [node, ...args] = commandLine()
    const child = spawn(node!, [...args, 'serve', '--config', file], {
      env: { PATH: process.env['PATH'], ...homeIn(this.folder) },
      stdio: ['ignore', log, log, 'ipc'],
    })
    this.#children.set(name, child)
    await new Promise<void>((resolve, reject) => {
      child.once('message', told => {
        if ((told as { ready?: boolean }).ready) resolve()
        else reject(new Error(`${name} did not start: ${JSON.stringify(told)}`))
      })
      child.once('exit', code => reject(new Error(`${name} ended with ${code}:\n${this.log(name)}`)))
    })
  }

  #config(name: ServiceName, port: number): object {
    const common = { services: this.services, listen: this.#at(name) }
    const own: Partial<Record<ServiceName, object>> = {
      data: { store: { embedded: join(this.folder, 'store') }, indexFolder: join(this.folder, 'index') },
      auth: { stateFolder: join(this.folder, 'auth'), maxStaleMs: 1000 },
      llm: { requestLog: join(this.folder, 'requests.jsonl'), filters: [], maxAnswerChars: 100_000 },
      worker: { name: 'w', slots: 2, backend: 'extractive', ollama: { url: 'http://127.0.0.1:1' } },
      gateway: { cluster: 'test', host: '127.0.0.1', port },
      executor: { slots: 1 },
    }
    return { ...common, ...own[name] }
  }

  #at(name: ServiceName): Address {
    return { socket: join(this.folder, `${name}.sock`) }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
