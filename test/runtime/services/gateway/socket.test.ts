import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { commandLine } from '../../../../src/assets.ts'
import { homeIn } from '../../../helpers/cli.ts'
import { tempFolder } from '../../../helpers/temp.ts'
import { Authority } from '../../tls/authority.ts'

const NAME = 'gateway'

test('a gateway that is started anew on a socket of the service manager refuses no connection', async () => {
  const gateway = await onSocket({ starts: 3 })
  const asked: Promise<string>[] = []
  let on = true
  const asking = (async () => {
    for (; on; await sleep(4)) asked.push(gateway.ask())
  })()
  for (const start of [1, 2]) {
    await sleep(500)
    gateway.stopNow()
    await gateway.runs(start + 1)
  }
  await sleep(500)
  on = false
  await asking
  const said = await Promise.all(asked)
  expect(said.length).toBeGreaterThan(200)
  expect(said.filter(one => one !== '200')).toEqual([])
}, 60_000)

test('a config that names a socket which nobody handed over is refused', async () => {
  const { file } = await written()
  const [node, ...args] = commandLine()
  const child = spawn(node!, [...args, 'serve', '--config', file], { env: { PATH: process.env['PATH'] } })
  let text = ''
  child.stderr.on('data', chunk => (text += chunk))
  expect((await once(child, 'exit'))[0]).toBe(2)
  expect(text).toContain('The config names the socket gateway, and systemd handed over none of that name.')
})

/** A stand-in for systemd: holds the socket, and starts the gateway with it again whenever it ended. */
async function onSocket({ starts }: { starts: number }) {
  const { folder, file, ca } = await written()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  const pids = join(folder, 'pids')
  const again = 'n=$1; file=$2; shift 2; for i in $(seq $n); do sh -c "$ONE" sh "$file" "$@"; done'
  const one = 'echo $$ >>"$1"; shift; LISTEN_PID=$$ exec "$@"'
  const argv = [...commandLine(), 'serve', '--config', file]
  const manager = spawn('sh', ['-c', again, 'sh', String(starts), pids, ...argv], {
    env: { PATH: process.env['PATH'], ...homeIn(folder), ONE: one, LISTEN_FDS: '1', LISTEN_FDNAMES: NAME },
    stdio: ['ignore', 'ignore', 'inherit', fd],
  })
  server.close()
  onTestFinished(() => ended(manager, () => pidsIn(pids)))
  const ask = () => healthAt(port, ca)
  const runs = (nth: number) =>
    vi.waitFor(
      async () => {
        expect(pidsIn(pids)).toHaveLength(nth)
        expect(await ask()).toBe('200')
      },
      { timeout: 20_000, interval: 50 },
    )
  await runs(1)
  return { ask, runs, stopNow: () => process.kill(pidsIn(pids).at(-1)!, 'SIGTERM') }
}

async function written() {
  const folder = tempFolder()
  const { cert, key, ca } = new Authority(folder).issue(NAME)
  const config = {
    services: {},
    listen: { socket: join(folder, 'gateway.sock') },
    cluster: 'halle',
    host: '127.0.0.1',
    port: 0,
    socket: NAME,
    certificate: { cert, key },
  }
  const file = join(folder, 'gateway.json')
  writeFileSync(file, JSON.stringify({ services: [{ name: NAME, config }] }))
  return { folder, file, ca: readFileSync(ca, 'utf8') }
}

const pidsIn = (file: string) => readFileSync(file, 'utf8').trim().split('\n').map(Number)

async function ended(manager: ChildProcess, pids: () => number[]): Promise<void> {
  manager.kill('SIGKILL')
  process.kill(pids().at(-1)!, 'SIGKILL')
  if (manager.exitCode === null && manager.signalCode === null) await once(manager, 'exit')
}

/** One question on a connection of its own: the status, or what went wrong. */
function healthAt(port: number, ca: string): Promise<string> {
  return new Promise(resolve => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path: '/healthz',
      ca,
      agent: false,
      checkServerIdentity: () => undefined,
      timeout: 20_000,
    })
    sent.once('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.once('error', thrown => resolve(thrown.message))
    sent.once('response', answer => answer.resume().once('end', () => resolve(String(answer.statusCode))))
    sent.end()
  })
}
