import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { output } from './commands.ts'
import { folderOf } from './files.ts'
import type { Place } from './place.ts'

const HOMES = { root: '/root', ops: '/home/ops', 'ops-ask': '/home/ops-ask' }

/** The lab's own SSH key pair, and the files that the system's ssh and our CLI read. */
export function keysOf(lab: string): { key: string; knownHosts: string; sshConfig: string } {
  const at = (name: string) => join(folderOf(lab), name)
  return { key: at('key'), knownHosts: at('known_hosts'), sshConfig: at('ssh_config') }
}

export function makeKeys(lab: string): void {
  const { key, knownHosts, sshConfig } = keysOf(lab)
  // Written last.
  if (existsSync(sshConfig)) return
  for (const file of [key, `${key}.pub`]) rmSync(file, { force: true })
  output('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `llmagentos-lab ${lab}`, '-f', key])
  writeFileSync(knownHosts, '')
  const options = { User: 'root', IdentityFile: key, IdentitiesOnly: 'yes', UserKnownHostsFile: knownHosts }
  const strict = {
    StrictHostKeyChecking: 'yes',
    BatchMode: 'yes',
    ConnectTimeout: '5',
    ServerAliveInterval: '5',
  }
  const lines = Object.entries({ ...options, ...strict }).map(([name, value]) => `  ${name} ${value}\n`)
  // ssh takes the first value it finds, and the hosts are added below.
  writeFileSync(sshConfig, `Match all\n${lines.join('')}`)
}

/** What makes a fresh root file system this node and no other: names, keys, address, password. Called once per node. */
export function furnish(o: { place: Place; address: string; gateway: string; passwordHash: string }): void {
  const { place, address, gateway } = o
  const write = (file: string, text: string, mode = 0o644) =>
    writeFileSync(join(place.root, file), text, { mode })
  write('etc/hostname', `${place.node}\n`)
  // As Debian's installer writes it.
  write('etc/hosts', `127.0.0.1\tlocalhost\n127.0.1.1\t${place.node}\n`)
  write('etc/machine-id', `${randomBytes(16).toString('hex')}\n`)
  write('etc/resolv.conf', resolvers())
  mkdirSync(join(place.root, 'etc/systemd/network'), { recursive: true })
  // Sorts before 80-container-host0.network, which would give it a link-local address.
  write('etc/systemd/network/10-host0.network', network(address, gateway))
  setPassword(place.root, o.passwordHash)
  authorize(place)
  output('ssh-keygen', ['-A', '-f', place.root])
  know(place, address)
}

/** The hash of a password for /etc/shadow, by the openssl of the image. */
export const hashOf = (password: string, image: string) =>
  output('chroot', [image, 'openssl', 'passwd', '-6', '-stdin'], { input: password })

const network = (address: string, gateway: string) => `[Match]
Name=host0 eth0 en*
[Network]
Address=${address}/24
Gateway=${gateway}
LinkLocalAddressing=no
IPv6AcceptRA=no
`

/** The machine's own resolvers; where it has one on loopback, the ones behind it. */
function resolvers(): string {
  const files = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'].filter(file => existsSync(file))
  const texts = files.map(file => readFileSync(file, 'utf8'))
  return texts.find(text => /^nameserver (?!127\.|::1)/m.test(text)) ?? ''
}

function setPassword(root: string, hash: string): void {
  const file = join(root, 'etc/shadow')
  const shadow = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    shadow.replace(/^ops-ask:[^:]*/m, () => `ops-ask:${hash}`),
  )
}

function authorize(place: Place): void {
  const key = readFileSync(`${keysOf(place.lab).key}.pub`)
  const passwd = readFileSync(join(place.root, 'etc/passwd'), 'utf8')
  for (const [user, home] of Object.entries(HOMES)) {
    const [, uid, gid] = new RegExp(`^${user}:[^:]*:(\\d+):(\\d+)`, 'm').exec(passwd)!
    const file = join(place.root, home, '.ssh/authorized_keys')
    writeFileSync(file, key)
    chmodSync(file, 0o600)
    chownSync(file, Number(uid), Number(gid))
  }
}

function know(place: Place, address: string): void {
  const { knownHosts, sshConfig } = keysOf(place.lab)
  const lines = ['ed25519', 'ecdsa', 'rsa'].map(type => {
    const [kind, key] = readFileSync(join(place.root, `etc/ssh/ssh_host_${type}_key.pub`), 'utf8').split(' ')
    return `${address} ${kind} ${key!.trim()}\n`
  })
  appendFileSync(knownHosts, lines.join(''))
  appendFileSync(sshConfig, `Match host ${place.node}\n  HostName ${address}\n`)
}
