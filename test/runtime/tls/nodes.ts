import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { commandLine } from '../../../src/assets.ts'
import { bootstrapKey } from '../../../src/contracts/auth.ts'
import type { Address, HostAddress, TlsFiles } from '../../../src/contracts/config.ts'
import { SERVICES, type ServiceName } from '../../../src/contracts/identity.ts'
import { silent } from '../../../src/log.ts'
import { ownHop } from '../../../src/runtime/hop.ts'
import { openCredentials } from '../../../src/runtime/tls/credentials.ts'
import { Calls } from '../../../src/runtime/transport.ts'
import { homeIn } from '../../helpers/cli.ts'
import { freePort } from '../../helpers/cluster.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { Authority } from './authority.ts'

/** Processes that talk over mutual TLS on loopback, as those of a cluster's nodes do. They end with the test. */
export class Nodes {
  readonly folder = tempFolder()
  readonly authority = new Authority(this.folder)
  readonly tls = Object.fromEntries(SERVICES.map(name => [name, this.authority.issue(name)])) as Record<
    ServiceName,
    TlsFiles
  >
  readonly services: Record<string, HostAddress[]> = {}
  /** Of the gateways. */
  urls: string[] = []
  readonly #children = new Map<string, ChildProcess>()
  readonly #configs = new Map<string, object>()

  constructor() {
    onTestFinished(() => this.stop())
  }

  /** Gives every service a port; `twice` names those with two replicas. */
  async place(twice: ServiceName[] = []): Promise<this> {
    for (const name of SERVICES) {
      const at = async () => ({ host: '127.0.0.1', port: await freePort() })
      this.services[name] = twice.includes(name) ? [await at(), await at()] : [await at()]
    }
    for (const _ of this.services['gateway']!) this.urls.push(`https://127.0.0.1:${await freePort()}`)
    return this
  }

  get url(): string {
    return this.urls[0]!
  }

  /** Starts one process with these services; `replica` counts from 0. */
  async start(
    names: ServiceName[],
    o: { replica?: number; env?: Record<string, string> } = {},
  ): Promise<string> {
    const { replica = 0, env } = o
    const id = `${names.join('-')}-${replica}`
    const services = names.map(name => ({ name, config: this.#config(name, replica) }))
    this.#configs.set(id, { services })
    await this.run(id, env)
    return id
  }

  async run(id: string, env?: Record<string, string>): Promise<void> {
    const file = join(this.folder, `${id}.json`)
    writeFileSync(file, JSON.stringify(this.#configs.get(id)))
    const log = openSync(join(this.folder, `${id}.log`), 'a')
    const [node, ...args] = commandLine()
    const child = spawn(node!, [...args, 'serve', '--config', file], {
      env: { PATH: process.env['PATH'], ...homeIn(this.folder), ...env },
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

  log(id: string): string {
    return readFileSync(join(this.folder, `${id}.log`), 'utf8')
  }

  signal(id: string, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGHUP'): void {
    this.#children.get(id)!.kill(signal)
  }

  async end(id: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<number | null> {
    const child = this.#children.get(id)!
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    child.kill(signal)
    const [code] = (await once(child, 'exit')) as [number | null]
    return code
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children.keys()].map(id => this.end(id)))
  }

  /** How a service calls the others: under its own certificate, or under these files. */
  calls(
    self: ServiceName,
    files = this.tls[self],
    services: Record<string, Address[]> = this.services,
  ): Calls {
    const credentials = openCredentials(files, { service: self, log: silent })
    const calls = new Calls(self, services, { credentials })
    onTestFinished(async () => {
      await calls.close()
      credentials.close()
    })
    return calls
  }

  /** An admin's key, in a file. */
  async keyFile(): Promise<string> {
    const { key } = await this.calls('auth').call(bootstrapKey, ownHop(), { body: { name: 'test' } })
    const file = join(this.folder, 'admin.key')
    writeFileSync(file, `${key}\n`, { mode: 0o600 })
    return file
  }

  #config(name: ServiceName, replica: number): object {
    const tls = this.tls[name]
    const at = (part: string) => join(this.folder, `${part}-${replica}`)
    const own: Partial<Record<ServiceName, object>> = {
      data: { store: { embedded: at('store') }, indexFolder: at('index') },
      auth: { stateFolder: at('auth'), maxStaleMs: 1000 },
      llm: { requestLog: at('requests.jsonl'), filters: [], maxAnswerChars: 100_000 },
      worker: { name: `w${replica}`, slots: 2, backend: 'extractive', ollama: { url: 'http://127.0.0.1:1' } },
      gateway: {
        cluster: 'halle',
        host: '127.0.0.1',
        port: Number(new URL(this.urls[replica] ?? this.url).port),
        ...(tls && { certificate: { cert: tls.cert, key: tls.key } }),
      },
      executor: { slots: 1 },
    }
    return { services: this.services, listen: this.services[name]![replica], tls, ...own[name] }
  }
}
