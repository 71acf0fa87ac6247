import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '../../../src/retry.ts'

const PROGRAM = '/usr/sbin/sshd'

/** Why no sshd can be started here, undefined when it can. */
export const lacksSshd: string | undefined = !existsSync(PROGRAM)
  ? 'sshd is not on this machine (openssh-server); npm run test:lab runs the same on nodes that have it'
  : process.getuid?.() === 0 && !existsSync('/run/sshd')
    ? 'sshd, as root, needs the folder /run/sshd'
    : undefined

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa'

/** A real sshd on loopback, with keys of its own, that lets in the user who runs the tests. */
export class Sshd {
  readonly folder: string
  readonly user = userInfo().username
  readonly port: number
  /** A file: the private key that it lets in. */
  readonly key: string
  readonly #options: string[]
  #child: ChildProcess | undefined
  #hostKeys: string[] = []
  log = ''

  private constructor(folder: string, port: number, options: string[]) {
    this.folder = folder
    this.port = port
    this.key = join(folder, 'key')
    this.#options = options
  }

  /** `options` are lines of sshd_config. */
  static async start(folder: string, o: { hostKeys?: KeyType[]; options?: string[] } = {}): Promise<Sshd> {
    mkdirSync(folder, { recursive: true })
    const sshd = new Sshd(folder, await freePort(), o.options ?? [])
    newKey(sshd.key)
    writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${sshd.key}.pub`))
    sshd.newHostKeys(o.hostKeys ?? ['ed25519', 'ecdsa'])
    await sshd.run()
    return sshd
  }

  /** Other keys from the next start on. */
  newHostKeys(types: KeyType[]): void {
    this.#hostKeys = types.map((type, i) =>
      newKey(join(this.folder, `host_${type}_${Date.now()}_${i}`), type),
    )
  }

  /** The public part of a host key: `type blob`. */
  hostKey(type: KeyType = 'ed25519'): string {
    const file = this.#hostKeys.find(key => key.includes(`host_${type}`))!
    return readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ').trim()
  }

  /** Lets in another key as well. */
  letIn(key: string): void {
    appendFileSync(join(this.folder, 'authorized_keys'), readFileSync(`${key}.pub`))
  }

  /** A file with a line for this machine as `[127.0.0.1]:port`. */
  knownHosts(name = 'known_hosts', keys = [this.hostKey()]): string {
    const file = join(this.folder, name)
    writeFileSync(file, keys.map(key => `[127.0.0.1]:${this.port} ${key}\n`).join(''))
    return file
  }

  async run(): Promise<void> {
    const config = join(this.folder, 'sshd_config')
    const lines = [
      'ListenAddress 127.0.0.1',
      ...this.#hostKeys.map(file => `HostKey ${file}`),
      `AuthorizedKeysFile ${join(this.folder, 'authorized_keys')}`,
      'StrictModes no',
      'UsePAM no',
      'PidFile none',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin yes',
      'LogLevel VERBOSE',
      // bash reads ~/.bashrc in a session of sshd only when no other shell is above it; whoever runs this may have a slow one.
      'SetEnv SHLVL=2',
      ...this.#options,
    ]
    writeFileSync(config, `${lines.join('\n')}\n`)
    const from = this.log.length
    const child = spawn(PROGRAM, ['-D', '-e', '-f', config, '-p', String(this.port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    child.stderr!.setEncoding('utf8').on('data', text => {
      this.log += text
    })
    await waitFor({ says: `sshd on port ${this.port}`, deadlineMs: 10_000, everyMs: 10 }, () => {
      if (child.exitCode !== null) throw new Error(this.log)
      return /Server listening/.test(this.log.slice(from)) || undefined
    })
  }

  /** Ends it with all of its connections, as a power cut would; `run` starts it again. */
  async kill(): Promise<void> {
    const child = this.#child
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise(resolve => child.once('exit', resolve))
    for (const pid of [...descendants(child.pid), child.pid]) end(pid)
    await gone
  }

  /** Ends the processes that hold connections, and leaves the one that listens. */
  cut(): void {
    for (const pid of descendants(this.#child!.pid!).filter(pid => /^sshd: /.test(commandOf(pid)))) end(pid)
  }

  count(what: 'connections' | 'logins' | 'commands'): number {
    const line = {
      connections: /^Connection from /gm,
      logins: /^Accepted publickey /gm,
      commands: /^Starting session: /gm,
    }[what]
    return this.log.match(line)?.length ?? 0
  }
}

/** Makes a key pair with ssh-keygen; returns the private file. */
export function newKey(file: string, type: KeyType = 'ed25519', passphrase = ''): string {
  const bits = type === 'rsa' ? ['-b', '2048'] : []
  execFileSync('ssh-keygen', ['-q', '-t', type, ...bits, '-N', passphrase, '-C', 'test', '-f', file])
  return file
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** All processes below one, as /proc tells. */
export function descendants(pid: number): number[] {
  let children = ''
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  } catch {}
  return children
    .split(' ')
    .filter(Boolean)
    .map(Number)
    .flatMap(child => [child, ...descendants(child)])
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}

/** Whether anybody listens on a port of loopback. */
export function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
