import { existsSync } from 'node:fs'
import { output } from './commands.ts'

export const SUITES = ['bookworm', 'trixie'] as const
export type Suite = (typeof SUITES)[number]

/**
 * minimal: no machine, only files. bare: what a Debian installer leaves with an SSH server. ready: with the packages that nearly every
 * story wants, and others at hand. guest: with a kernel too.
 */
export type Flavour = 'minimal' | 'bare' | 'ready' | 'guest'

/** All that an image is made of; another recipe is another image. */
export interface Recipe {
  suite: Suite
  packages: string[]
  /** Downloaded and not installed. */
  atHand: string[]
  /** Files that are there before the packages are configured: path and text. */
  before: [string, string][]
  /** Run by sh in the new root. */
  script: string
  sources: string[]
  aptOptions: string[]
}

export const recipe = (o: { suite: Suite; flavour: Flavour }): Recipe => ({
  suite: o.suite,
  packages: PACKAGES[o.flavour],
  atHand: o.flavour === 'ready' || o.flavour === 'guest' ? atHand(o.suite) : [],
  before: o.flavour === 'guest' ? SMALL_INITRAMFS : [],
  script: SCRIPTS[o.flavour],
  sources: sources(o.suite),
  aptOptions: aptOptions(),
})

/** In the node: a disk's device file lies here too, for the next boot. */
export const DISKS = '/usr/lib/llmagentos-lab/disks'

const BARE = [
  'ca-certificates',
  'dbus',
  'e2fsprogs',
  'iproute2',
  'iputils-ping',
  'kmod',
  'netbase',
  'openssh-server',
  'procps',
  'sudo',
  'systemd',
  'systemd-sysv',
  'udev',
]
const READY = [...BARE, 'chrony', 'curl', 'nftables']
// What stories install on nodes that are ready: one line more here saves each node its download.
const AT_HAND = [
  ...['keepalived', 'python3', 'rabbitmq-server', 'ufw'],
  ...['ceph-common', 'ceph-fuse', 'ceph-mds', 'ceph-mgr', 'ceph-mon', 'ceph-osd', 'python3-rados', 'radosgw'],
]
// On bookworm it is in ceph-osd.
const atHand = (suite: Suite) => (suite === 'bookworm' ? AT_HAND : [...AT_HAND, 'ceph-volume'])
const PACKAGES: Record<Flavour, string[]> = {
  minimal: ['ca-certificates', 'libstdc++6'],
  bare: BARE,
  ready: READY,
  guest: [...READY, 'linux-image-amd64', 'lvm2'],
}

// What the first seconds of a virtual machine need; Debian's usual one takes an emulated processor half a minute.
const SMALL_INITRAMFS: [string, string][] = [
  ['etc/initramfs-tools/conf.d/llmagentos-lab', 'MODULES=list\n'],
  ['usr/share/initramfs-tools/modules.d/llmagentos-lab', 'virtio_pci\nvirtio_blk\next4\n'],
]

// Without apt's own timers, so that nothing but a story holds apt's lock.
const SCRIPT = `set -eu
useradd --create-home --shell /bin/bash ops
useradd --create-home --shell /bin/bash --groups sudo ops-ask
echo 'ops ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/ops
chmod 0440 /etc/sudoers.d/ops
for home in /root /home/ops /home/ops-ask; do install -d -m 0700 $home/.ssh; done
chown ops:ops /home/ops/.ssh
chown ops-ask:ops-ask /home/ops-ask/.ssh
systemctl --quiet enable systemd-networkd.service
systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: >/etc/machine-id
`

const NO_UDEV = `mkdir -p ${DISKS}
cat >/usr/lib/systemd/system/llmagentos-lab-disks.service <<'END'
[Unit]
Description=The part of udev: this node's disks appear in /dev
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/cp -a ${DISKS}/. /dev/
[Install]
WantedBy=sysinit.target
END
systemctl --quiet enable llmagentos-lab-disks.service
`

const SCRIPTS: Record<Flavour, string> = {
  minimal: ':',
  bare: SCRIPT + NO_UDEV,
  ready: SCRIPT + NO_UDEV,
  guest: SCRIPT,
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** One-line apt sources of a suite, at the addresses from which this machine takes its own. */
function sources(suite: Suite): string[] {
  const ours = mirrors()
  return [
    ['', ours.get('') ?? 'http://deb.debian.org/debian'],
    ['-updates', ours.get('-updates') ?? ours.get('') ?? 'http://deb.debian.org/debian'],
    ['-security', ours.get('-security') ?? 'http://deb.debian.org/debian-security'],
  ].map(([part, address]) => `deb [signed-by=${KEYRING}] ${address} ${suite}${part} main`)
}

/** Where this machine finds Debian, by part of its suite: '', '-updates', '-security'. */
function mirrors(): Map<string, string> {
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(output('cat', ['/etc/os-release']))?.[1]
  const lines = output('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)'])
  const found = new Map<string, string>()
  for (const line of lines.split('\n')) {
    const [address, release, component] = line.split(' ')
    const part = codename && release?.startsWith(codename) ? release.slice(codename.length) : undefined
    if (part !== undefined && component === 'main' && !found.has(part)) found.set(part, address!)
  }
  return found
}

/** How apt here reaches its mirrors: proxies, certificates, checks of dates. */
function aptOptions(): string[] {
  const lines = output('apt-config', ['dump']).split('\n')
  return lines.filter(line => /^Acquire::(http|https|Retries|Check-Valid-Until|Check-Date)\b/.test(line))
}

/** The certificates that apt's options name; a node needs them at the same path. */
export function certificates(options: string[]): string[] {
  return options.flatMap(line => /CaInfo "(.+)";/.exec(line)?.[1] ?? []).filter(file => existsSync(file))
}
