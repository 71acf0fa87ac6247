import { expect, vi } from 'vitest'
import { artifactSource, artifactsFor } from '../../../src/provision/artifacts/index.ts'
import type { LabNode } from '../lab.ts'
import { type Ran, SecretsBench } from '../secrets/bench.ts'
import { WORKER_PORT } from './tended.ts'

const TLS = '/etc/llmagentos/tls'

/** A cluster of three control nodes whose certificates live shortly. */
export class TendBench {
  readonly secrets: SecretsBench
  readonly #life: string

  static async open(o: { name: string; life: string }): Promise<TendBench> {
    const source = artifactSource(process.env)
    for (const { name } of Object.values(artifactsFor(process.arch === 'arm64' ? 'arm64' : 'x64')))
      await source(name)
    return new TendBench(await SecretsBench.open({ name: o.name, nodes: 3 }), o.life)
  }

  private constructor(secrets: SecretsBench, life: string) {
    this.secrets = secrets
    this.#life = life
  }

  get nodes(): LabNode[] {
    return this.secrets.lab.nodes
  }

  up(what: 'up' | 'plan' = 'up'): Promise<Ran> {
    const more = `recovery: none\ncomponents: {secrets: {certificates: {life: ${this.#life}}}}\n`
    const story = { secrets: [], tended: true }
    return this.secrets.run({ do: what, file: this.secrets.file({ more }), story, replaceApplied: 1 })
  }

  /** `node tend` by hand, beside the timer or in its place. */
  tend(node: LabNode) {
    return node.ssh(['llmagentos', 'node', 'tend', '--json'])
  }

  /** Seconds that are left of each certificate of a node; fewer than none where it has ended. */
  async left(node: LabNode): Promise<Record<string, number>> {
    const said = await node.run(
      `cd ${TLS} && for f in *.crt; do echo "$f $(date -d "$(openssl x509 -in "$f" -noout -enddate | cut -d= -f2)" +%s) $(date +%s)"; done`,
    )
    return Object.fromEntries(
      said
        .trim()
        .split('\n')
        .map(line => {
          const [name, end, now] = line.split(' ')
          return [name!.replace('.crt', ''), Number(end) - Number(now)]
        }),
    )
  }

  serials(node: LabNode): Promise<string> {
    return node.run(`cd ${TLS} && for f in *.crt; do openssl x509 -in "$f" -noout -serial; done`)
  }

  /** Asks the worker of `to` from `from` over mutual TLS, on a connection of its own; the HTTP status, or curl's complaint. */
  async ask(from: LabNode, to: LabNode): Promise<string> {
    const name = `${to.name}.halle.internal`
    const done = await from.ssh([
      'curl',
      ...['-sS', '--max-time', '10', '--resolve', `${name}:${WORKER_PORT}:${to.address}`],
      ...['--cacert', '/etc/llmagentos/ca.crt', '--cert', `${TLS}/worker.crt`, '--key', `${TLS}/worker.key`],
      ...['-o', '/dev/null', '-w', '%{http_code}', `https://${name}:${WORKER_PORT}/healthz`],
    ])
    return done.code === 0 ? done.stdout : done.stderr.trim()
  }

  /** Returns when no certificate of the life comes near its end within the next seconds. */
  quiet(lifeS: number): Promise<void> {
    return vi.waitFor(
      async () => {
        for (const left of await this.each(node => this.left(node)))
          expect(Math.min(...Object.values(left))).toBeGreaterThan(lifeS / 3 + 12)
      },
      { timeout: 2 * lifeS * 1000, interval: 1_000 },
    )
  }

  async timers(verb: 'start' | 'stop'): Promise<void> {
    await this.each(node => node.run(`systemctl ${verb} llmagentos-tend.timer`))
  }

  async signers(verb: 'start' | 'stop' | 'restart'): Promise<void> {
    await this.each(node => node.run(`systemctl ${verb} llmagentos-signer.service`))
  }

  each<T>(what: (node: LabNode) => Promise<T>): Promise<T[]> {
    return Promise.all(this.nodes.map(what))
  }

  async close(): Promise<void> {
    await this.secrets.close()
  }
}

export function done(ran: Ran): string[] {
  expect(ran, ran.text).toMatchObject({ code: 0 })
  return ran.did
}
