import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { bootstrapKey, exchangeKey, KEY_PATTERN } from '../../src/contracts/auth.ts'
import type { S3Config } from '../../src/contracts/s3.ts'
import { waitFor } from '../../src/retry.ts'
import { type Hop, ownHop } from '../../src/runtime/hop.ts'
import { Calls } from '../../src/runtime/transport.ts'

const DEADLINE_MS = 600_000

/** The data service and auth, as processes of their own; the store is `s3`. */
export async function startServices(s3: S3Config) {
  const folder = mkdtempSync(join(tmpdir(), 'lao-'))
  const at = (name: string) => ({ socket: join(folder, `${name}.sock`) })
  const services = { data: [at('data')], auth: [at('auth')] }
  const start = (name: string, own: object) =>
    started(folder, { name, config: { services, listen: at(name), ...own } })
  const data = await start('data', { store: { s3 }, indexFolder: join(folder, 'index') })
  const auth = await start('auth', { stateFolder: join(folder, 'auth'), maxStaleMs: 1000 })
  const calls = new Calls('gateway', services)
  const own = new Calls('auth', services)
  const { key } = await waitFor({ says: 'a key', deadlineMs: 30_000 }, () =>
    own.call(bootstrapKey, ownHop(), { body: { name: 'bench' } }),
  )
  const [, id, secret] = KEY_PATTERN.exec(key)!
  const digest = createHash('sha256').update(secret!).digest('hex')
  return {
    calls,
    /** Of a user, for so long as one act of this benchmark may take. */
    async hop(): Promise<Hop> {
      const { tokens } = await calls.call(exchangeKey, ownHop(), { body: { id: id!, digest } })
      return { ...ownHop(DEADLINE_MS), token: tokens['data'] }
    },
    /** Resident memory of the data service, MiB. */
    resident(): number {
      const status = readFileSync(`/proc/${data.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024
    },
    async stop() {
      await Promise.all([calls.close(), own.close()])
      for (const child of [auth, data]) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function started(folder: string, service: { name: string; config: object }) {
  const file = join(folder, `${service.name}.json`)
  writeFileSync(file, JSON.stringify({ services: [service] }))
  const log = join(folder, `${service.name}.log`)
  const out = openSync(log, 'a')
  const argv = [resolve('bin/llmagentos.js'), 'serve', '--config', file]
  const child = spawn(process.execPath, argv, {
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', out, out, 'ipc'],
  })
  const told = (await Promise.race([once(child, 'message'), once(child, 'exit')]))[0] as { ready?: boolean }
  if (!told?.ready) throw new Error(`${service.name} did not start:\n${readFileSync(log, 'utf8')}`)
  return child
}
