import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import type { DataConfig } from '../../../src/contracts/config.ts'
import type { ServiceName } from '../../../src/contracts/identity.ts'
import { Calls } from '../../../src/runtime/transport.ts'
import { tempFolder } from '../../helpers/temp.ts'

const START_MS = 60_000

/** A data service in a process of its own. */
export interface Instance {
  pid: number
  socket: string
  freeze(): void
  thaw(): void
  /** As after `kill -9`. */
  kill(): Promise<void>
  notes(): Promise<string[]>
}

/** `file` is the program `server`, bundled. It ends with the test. */
export async function startInstance(file: string, config: Partial<DataConfig>): Promise<Instance> {
  const folder = tempFolder()
  const child = spawn(process.execPath, [file, folder, JSON.stringify(config)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const said = text(child.stderr)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('a data service did not start in a minute')), START_MS)
    child.stdout.once('data', () => {
      clearTimeout(late)
      resolve()
    })
    void ended.then(async () => {
      clearTimeout(late)
      reject(new Error(`a data service ended: ${(await said).slice(-2000)}`))
    })
  })
  const socket = join(folder, 's')
  return {
    pid: child.pid!,
    socket,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async notes() {
      const answer = await new Promise<string>((resolve, reject) => {
        const ask = request({ socketPath: socket, path: '/ready', timeout: 5_000 }, reply =>
          text(reply).then(resolve, reject),
        )
        ask.once('timeout', () => ask.destroy(new Error('no answer to /ready within 5 s')))
        ask.once('error', reject).end()
      })
      return (JSON.parse(answer) as { notes: string[] }).notes
    },
  }
}

/** The way of a service to these instances, the first one first. */
export function callsTo(instances: Instance[], as: ServiceName): Calls {
  const calls = new Calls(as, { data: instances.map(i => ({ socket: i.socket })) })
  onTestFinished(() => calls.close())
  return calls
}
