import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { quote } from './quote.ts'
import type { Target } from './resolve.ts'

export interface Place {
  target: Target
  /** What `ssh -F` would have been given. */
  config?: string
  /** Our known_hosts. */
  knownHosts: string
}

/** An ssh_config by which the system's ssh carries our commands: no questions, and nothing that belongs to a person's session. */
export function configForUs(
  way: Place & { connectMs: number; keepaliveMs: number; keepaliveCount: number },
): string {
  return configWith(way, [
    'BatchMode yes',
    'ExitOnForwardFailure no',
    'ClearAllForwardings yes',
    'RemoteCommand none',
    'RequestTTY no',
    'PermitLocalCommand no',
    'ForwardAgent no',
    'ForwardX11 no',
    'SessionType default',
    'StdinNull no',
    'ForkAfterAuthentication no',
    'ControlPersist no',
    'LogLevel ERROR',
    `ConnectTimeout ${Math.ceil(way.connectMs / 1000)}`,
    `ServerAliveInterval ${Math.ceil(way.keepaliveMs / 1000)}`,
    `ServerAliveCountMax ${way.keepaliveCount}`,
  ])
}

export interface Session {
  /** Empty for a login shell. */
  command: string[]
  /** Whether there is one here, for a command to have one there. */
  terminal: boolean
}

/**
 * Writes `file`, and returns what to start for a person's own session: host keys are as strictly checked, all else is as they have it.
 * A command of ours replaces theirs.
 */
export async function sshForPerson(
  way: Place,
  o: Session & { file: string },
): Promise<[string, ...string[]]> {
  const { bastion, host } = way.target
  const lines = o.command.length > 0 ? ['RemoteCommand none', `RequestTTY ${o.terminal ? 'yes' : 'no'}`] : []
  // A connection that somebody shares may have been made without our checks.
  await writeFile(o.file, configWith(way, ['ControlPath none', ...lines]), { mode: 0o600 })
  const command = o.command.length > 0 ? [quote(o.command)] : []
  return ['ssh', '-F', o.file, ...(bastion ? ['-J', bastion] : []), '--', host, ...command]
}

/** First come our own lines, then the operator's: of each option ssh takes the first value that it meets. */
function configWith({ target, config, knownHosts }: Place, lines: string[]): string {
  const user = join(userInfo().homedir || homedir(), '.ssh/config')
  const includes = config ? (config === 'none' ? [] : [config]) : [user, '/etc/ssh/ssh_config']
  const pinned = target.hostKey
    ? [
        `Host ${quoted(target.host)}`,
        '  UserKnownHostsFile none',
        '  GlobalKnownHostsFile none',
        // Vouches for the pinned key alone: ssh fills in the key that it was shown and its fingerprint.
        `  KnownHostsCommand /bin/sh -c 'if [ "$1" = "$2" ]; then echo "$3 $4 $5"; fi' sh %f ${target.hostKey} %H %t %K`,
      ]
    : []
  return [
    ...pinned,
    'Host *',
    '  StrictHostKeyChecking yes',
    '  UpdateHostKeys no',
    ...lines.map(line => `  ${line}`),
    `  GlobalKnownHostsFile ${quoted(knownHosts)} /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2`,
    ...(target.identityFile ? [`  IdentityFile ${quoted(target.identityFile)}`] : []),
    `Host ${quoted(target.host)}`,
    ...(target.port ? [`  Port ${target.port}`] : []),
    ...(target.user ? [`  User ${quoted(target.user)}`] : []),
    ...includes.filter(file => existsSync(file)).flatMap(file => ['Host *', `  Include ${quoted(file)}`]),
    '',
  ].join('\n')
}

/** As ssh_config quotes a word. */
function quoted(word: string): string {
  if (/["\n\r\0]/.test(word))
    throw new Error(`not a word of ssh_config: ${quote([word.replaceAll('\0', '')])}`)
  return `"${word}"`
}
