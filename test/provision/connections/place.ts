import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, test } from 'vitest'
import { Connections, type RunOptions } from '../../../src/provision/connections/connections.ts'
import type { Target } from '../../../src/provision/connections/resolve.ts'
import { type KeyType, lacksSshd, Sshd } from './sshd.ts'

/** What one file of tests with real sshds uses; all of it is gone when the file ends. */
export class Bench {
  #folder: string | undefined
  readonly #ends: (() => Promise<void>)[] = []
  #count = 0

  constructor() {
    afterAll(async () => {
      for (const end of this.#ends.reverse()) await end()
      if (this.#folder) rmSync(this.#folder, { recursive: true, force: true })
    })
  }

  get folder(): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'lao-'))
    return this.#folder
  }

  async sshd(o?: { hostKeys?: KeyType[]; options?: string[] }): Promise<Sshd> {
    const sshd = await Sshd.start(join(this.folder, `sshd${++this.#count}`), o)
    this.#ends.push(() => sshd.kill())
    return sshd
  }

  /** Without any configuration of whoever runs the tests. */
  connections(o: Partial<RunOptions> & { knownHosts: string }): Connections {
    const connections = new Connections({ config: 'none', env: {}, ...o })
    this.#ends.push(() => connections.close())
    return connections
  }

  file(name: string): string {
    return join(this.folder, name)
  }
}

export const targetOf = (sshd: Sshd, more: Partial<Target> = {}): Target => ({
  node: 'n1',
  host: '127.0.0.1',
  port: sshd.port,
  identityFile: sshd.key,
  ...more,
})

/** A test that needs an sshd, and says so where there is none. */
export const story = (title: string, run: () => Promise<void>): void =>
  test(title, async ctx => {
    ctx.skip(lacksSshd !== undefined, lacksSshd)
    await run()
  })
