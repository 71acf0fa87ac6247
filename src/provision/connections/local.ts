import { once } from 'node:events'
import { connect } from 'node:net'
import { hostname, userInfo } from 'node:os'
import type { Duplex } from 'node:stream'
import { execa } from 'execa'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Carrier, Running } from './carrier.ts'
import type { Connection } from './connection.ts'
import { ConnectionOver } from './over.ts'
import type { AskPassword } from './sudo.ts'

/** The machine we run on, as a node: what is run over SSH elsewhere runs here as a child process, through the same shell line. */
export function localConnection(o: { node?: string; sudoPassword?: AskPassword } = {}): Connection {
  const node = o.node ?? hostname()
  return new ConnectionOver({
    node,
    user: userInfo().username,
    connect: async () => localCarrier(node),
    sudoPassword: o.sudoPassword,
  })
}

/** A short command of this machine: its result, whatever its exit code; throws when it cannot be started or exceeds `deadlineMs`. */
export async function runHere(
  argv: [string, ...string[]],
  o: { stdin?: string; deadlineMs: number; env?: Record<string, string> },
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [command, ...args] = argv
  const done = await execa(command, args, {
    input: o.stdin ?? '',
    timeout: o.deadlineMs,
    env: { LC_ALL: 'C', ...o.env },
    reject: false,
    stripFinalNewline: false,
  })
  if (done.exitCode === undefined) {
    const next =
      done.code === 'ENOENT' ? `Install it here (on Debian: apt install openssh-client).` : undefined
    throw new Failure(`${command} could not be run on this machine.`, {
      exit: EXIT.ours,
      why: done.shortMessage,
      next,
    })
  }
  return { code: done.exitCode, stdout: done.stdout, stderr: done.stderr }
}

function localCarrier(node: string): Carrier {
  const children = new Set<Running>()
  return {
    gone: undefined,
    async start(line) {
      const running = child(['sh', '-c', `exec ${line}`])
      children.add(running)
      void running.ended.then(() => children.delete(running))
      return running
    },
    open: port => openHere(node, port),
    async close() {
      for (const running of children) running.drop()
    },
  }
}

/** A child process in a group of its own, so that Ctrl-C reaches us alone. */
function child(argv: [string, ...string[]]): Running {
  const [command, ...args] = argv
  const process = execa(command, args, {
    buffer: false,
    reject: false,
    stdin: 'pipe',
    detached: true,
    cwd: '/',
  })
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    ended: process.then(done =>
      done.exitCode === undefined
        ? done.signal
          ? { code: 0, signal: done.signal }
          : { cut: done.shortMessage ?? 'it could not be started' }
        : { code: done.exitCode },
    ),
    drop() {
      process.kill('SIGKILL')
      for (const stream of [process.stdin, process.stdout, process.stderr]) stream.destroy()
    },
  }
}

async function openHere(node: string, port: number): Promise<Duplex> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  try {
    await once(socket, 'connect')
    return socket
  } catch (thrown) {
    throw new Failure(`Port ${port} on ${node} does not answer.`, {
      exit: EXIT.unhealthy,
      why: reasonOf(thrown),
    })
  }
}
