import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { EXIT, Failure } from '../../errors.ts'
import { type Carrier, Lost, Refused, type Running } from './carrier.ts'
import { quote } from './quote.ts'
import type { Target } from './resolve.ts'
import { notAwaited } from './socket.ts'
import { configForUs } from './system-config.ts'

export interface SystemWay {
  target: Target
  /** A folder of the run's own, 0700, short: sockets have 107 bytes for their path. */
  folder: string
  /** A name of this node's own in it. */
  key: string
  /** What `ssh -F` would have been given. */
  config?: string
  /** Our known_hosts. */
  knownHosts: string
  connectMs: number
  handshakeMs: number
  keepaliveMs: number
  keepaliveCount: number
  /** Ends the connecting, not the connection. */
  signal?: AbortSignal
}

const LAST_WORDS_MS = 200

/**
 * Connects by the system's ssh: one master that holds the connection, one process per command that speaks to it. It honours every
 * option of its configuration; ours come first, and count for the machines between as well: strict host keys, no questions.
 */
export async function connectSystem(way: SystemWay): Promise<Carrier> {
  const socket = join(way.folder, `${way.key}.s`)
  const config = join(way.folder, `${way.key}.conf`)
  await rm(socket, { force: true })
  await writeFile(config, configForUs(way), { mode: 0o600 })
  const host = way.target.host
  const jumps = way.target.bastion ? ['-J', way.target.bastion] : []
  const master = execa('ssh', ['-F', config, '-M', '-S', socket, '-N', ...jumps, '--', host], {
    buffer: false,
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    detached: true,
    env: { LC_ALL: 'C', SSH_ASKPASS_REQUIRE: 'never' },
  })
  let said = ''
  master.stderr.on('data', chunk => {
    said = (said + chunk).slice(-4096)
  })
  let gone: string | undefined
  const exited = new Promise<void>(resolve => master.once('exit', () => resolve()))
  // What a ProxyCommand leaves behind may hold on to ssh's standard error; nobody waits for that.
  const lost = Promise.race([master, exited.then(() => sleep(LAST_WORDS_MS))]).then(() => {
    master.stderr.destroy()
    gone ??=
      said.trim().split('\n').at(-1)?.trim() || `ssh ended with ${master.exitCode ?? master.signalCode}`
    return gone
  })
  await established(way, { socket, master, lost, said: () => said })
  // A process that does not find the master must not connect by itself: one connection per node. ProxyJump loses against ProxyCommand.
  const mux = ['-F', config, '-S', socket, '-o', 'ControlMaster=no', '-o', 'ProxyCommand=false']
  return {
    get gone() {
      return gone
    },
    async start(line) {
      if (gone !== undefined) throw new Lost(gone, { sent: false })
      // By a signal's number, because of ssh's own process 255 is all that one sees.
      const told = quote(['sh', '-c', `${line}; exit $?`])
      return runningOver([...mux, '-T', '--', host, `exec ${told}`], lost, () => gone)
    },
    open: port => openOver([...mux, '-W', `127.0.0.1:${port}`, '--', host]),
    async close() {
      master.kill('SIGTERM')
      await lost
      await rm(socket, { force: true })
    },
  }
}

async function established(
  way: SystemWay,
  o: { socket: string; master: { kill(signal: 'SIGKILL'): boolean }; lost: Promise<string>; said(): string },
): Promise<void> {
  const { node } = way.target
  const end = performance.now() + way.connectMs + way.handshakeMs
  let ended = false
  void o.lost.then(() => {
    ended = true
  })
  while (!existsSync(o.socket)) {
    if (ended) throw refused(way, o.said())
    if (way.signal?.aborted) {
      o.master.kill('SIGKILL')
      throw notAwaited(node)
    }
    if (performance.now() > end) {
      o.master.kill('SIGKILL')
      throw new Failure(`${node} did not finish the SSH handshake.`, {
        exit: EXIT.unreachable,
        why: `It took longer than ${(way.connectMs + way.handshakeMs) / 1000} s.`,
        next: `Try it: ssh ${way.target.host}`,
      })
    }
    await sleep(10)
  }
}

function refused(way: SystemWay, said: string): Failure {
  const { node, host } = way.target
  const why = said
    .trim()
    .split('\n')
    .filter(line => !/^(@|\s*$)/.test(line))
    .slice(-6)
    .join(' ')
  const [what, next] = /REMOTE HOST IDENTIFICATION HAS CHANGED/.test(said)
    ? [
        `The host key of ${node} has CHANGED. Nothing was run there.`,
        'If that machine was installed anew, remove the old key and enrol it; if not, somebody else answers there.',
      ]
    : /Host key verification failed|No .* host key is known|not known by any other names/.test(said)
      ? [
          `The host key of ${node} is unknown. Nothing was run there.`,
          'Enrol it by --accept-new-host-keys, or write hostKey under its ssh in cluster.yaml.',
        ]
      : /Permission denied|Too many authentication failures/.test(said)
        ? [
            `${node} refuses the login.`,
            `Try it: ssh ${host}. A key with a passphrase must be in the agent: ssh-add FILE.`,
          ]
        : [`${node} cannot be reached by the system's ssh.`, `Try it: ssh ${host}`]
  const lasting = /has CHANGED|is unknown|refuses/.test(what!)
  return new (lasting ? Refused : Failure)(what!, { exit: EXIT.unreachable, why: why || undefined, next })
}

/** Its exit code 255 is ssh's own when the master has gone, or refused a channel; else it is the command's. */
function runningOver(args: string[], lost: Promise<string>, gone: () => string | undefined): Running {
  const process = execa('ssh', args, {
    buffer: false,
    reject: false,
    stdin: 'pipe',
    detached: true,
    env: { LC_ALL: 'C' },
  })
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    ended: process.then(async done => {
      if (done.exitCode === undefined) return { cut: gone() ?? `ssh was ended by ${done.signal}` }
      if (done.exitCode !== 255) return { code: done.exitCode }
      const why = gone() ?? (await Promise.race([lost, sleep(200)]))
      return why ? { cut: why } : { code: 255 }
    }),
    drop() {
      process.kill('SIGKILL')
      for (const stream of [process.stdin, process.stdout, process.stderr]) stream.destroy()
    },
  }
}

/** A port that does not answer ends the stream with an error. */
async function openOver(args: string[]): Promise<Duplex> {
  const process = execa('ssh', args, {
    buffer: false,
    reject: false,
    stdin: 'pipe',
    detached: true,
    env: { LC_ALL: 'C' },
  })
  return process.duplex()
}
