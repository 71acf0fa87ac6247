import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { EXIT, Failure } from '../errors.ts'
import { jsonLog } from './logging.ts'

const NOTIFY_MS = 10_000
/** systemd hands over sockets from here on (sd_listen_fds). */
const FIRST_FD = 3
/** Fields of a config that name a file. */
const FILES = ['cert', 'key', 'ca', 'passwordFile', 'secretKeyFile']
const CREDENTIAL = /^credential:([A-Za-z0-9][A-Za-z0-9._-]*)$/

/**
 * Says READY=1 to the service manager that started this process, if one did. Node cannot send to a unix datagram socket, so systemd's own
 * program does: a unit of Type=notify needs NotifyAccess=all for it.
 */
export function tellSystemd(env: NodeJS.ProcessEnv): void {
  const { NOTIFY_SOCKET } = env
  if (!NOTIFY_SOCKET) return
  // What this process starts later has nothing to say there.
  delete process.env['NOTIFY_SOCKET']
  const told = { timeout: NOTIFY_MS, env: { PATH: env.PATH, NOTIFY_SOCKET } }
  execFile('systemd-notify', ['--ready'], told, thrown => {
    if (thrown) jsonLog({ service: 'serve' }).warn({ err: thrown }, 'systemd could not be told of the start')
  })
}

/** The listening socket that systemd handed to this process under that name (FileDescriptorName=), as a file descriptor. */
export function inheritedSocket(name: string, env: NodeJS.ProcessEnv = process.env): number {
  const { LISTEN_PID, LISTEN_FDS = '0', LISTEN_FDNAMES = '' } = env
  const at = LISTEN_PID === String(process.pid) ? LISTEN_FDNAMES.split(':').indexOf(name) : -1
  if (at >= 0 && at < Number(LISTEN_FDS)) return FIRST_FD + at
  throw new Failure(`The config names the socket ${name}, and systemd handed over none of that name.`, {
    exit: EXIT.usage,
    next: `Start it by its unit, which has the socket: systemctl restart llmagentos-${name}.service`,
  })
}

/** The config with each `credential:NAME` that stands for a file replaced by the path that systemd gave it (LoadCredential). */
export function withCredentials(config: unknown, env: NodeJS.ProcessEnv): unknown {
  if (Array.isArray(config)) return config.map(one => withCredentials(one, env))
  if (typeof config !== 'object' || config === null) return config
  const entries = Object.entries(config).map(([field, value]) => [
    field,
    typeof value === 'string' && FILES.includes(field) ? pathOf(value, env) : withCredentials(value, env),
  ])
  return Object.fromEntries(entries)
}

function pathOf(file: string, { CREDENTIALS_DIRECTORY }: NodeJS.ProcessEnv): string {
  const name = CREDENTIAL.exec(file)?.[1]
  if (!name) return file
  if (CREDENTIALS_DIRECTORY) return join(CREDENTIALS_DIRECTORY, name)
  throw new Failure(`The config names ${file}, and there are no credentials.`, {
    exit: EXIT.usage,
    why: 'CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with LoadCredential=.',
  })
}
