import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './run.js'

// Tool and package; tools are commands, or files where they begin with a slash.
const TOOLS = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  ip: 'iproute2',
  nft: 'nftables',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  losetup: 'mount',
  git: 'git',
  zstd: 'zstd',
  // The newest suite's: older packages have the keyring without it.
  '/usr/share/keyrings/debian-archive-trixie-automatic.gpg': 'debian-archive-keyring',
}
const GUEST_TOOLS = { 'qemu-system-x86_64': 'qemu-system-x86', 'mkfs.ext4': 'e2fsprogs' }

// apt waits for dpkg's lock, but not for those of its lists and archives; mirrors have bad minutes too.
const TRIES = 6
const PAUSE_S = 10

/**
 * Why there can be no lab on this machine, or undefined after having installed what it needs; `guest` is for virtual machines.
 * Ends this process with 1 when the machine could have one but the packages could not be installed.
 */
export function lacks({ guest = false } = {}) {
  if (process.getuid() !== 0) return 'it needs root, to make machines of its own'
  const os = readFileSync('/etc/os-release', 'utf8')
  if (!/^ID=debian$/m.test(os)) return 'it needs Debian, whose packages it takes'
  if (process.arch !== 'x64') return 'its Node comes as a package for x64 alone'
  if (!/^devices\s/m.test(readFileSync('/proc/cgroups', 'utf8')))
    return 'this kernel has no device control groups, and without them a node could reach the disks of this machine'
  // What `su` leaves root with need not hold them.
  process.env.PATH = [process.env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter)
  const tools = guest ? { ...TOOLS, ...GUEST_TOOLS } : TOOLS
  const absent = () => Object.keys(tools).filter(tool => !has(tool))
  const packages = [...new Set(absent().map(tool => tools[tool]))]
  if (packages.length > 0) console.log(`The lab installs ${packages.join(', ')}.`)
  // The lists are wanted in any case: they say from which mirrors this machine takes its packages.
  if (packages.length === 0 && listed()) return undefined
  for (let left = TRIES; left > 0 && !install(packages); left--) if (left > 1) run('sleep', [String(PAUSE_S)])
  if (absent().length > 0)
    fail(`${packages.join(', ')} could not be installed, so ${absent().join(', ')} is missing.`)
  if (!listed()) fail('apt-get update left no list of packages.')
  return undefined
}

function fail(what) {
  console.error(`The lab could not be made ready: ${what}\nWhat apt-get said is above.`)
  process.exit(1)
}

function has(tool) {
  if (tool.startsWith('/')) return existsSync(tool)
  return process.env.PATH.split(delimiter).some(folder => existsSync(join(folder, tool)))
}

const listed = () => spawnSync('apt-get', ['indextargets'], { encoding: 'utf8' }).stdout?.trim() !== ''

/** A list of another source that cannot be fetched need not be the one that is wanted: what counts is what is there afterwards. */
function install(packages) {
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' }
  const apt = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3', '-qq']
  run('apt-get', [...apt, 'update'], quiet)
  if (packages.length === 0) return listed()
  return run('apt-get', [...apt, 'install', '-y', '--no-install-recommends', ...packages], quiet)
}
