import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { codeOf } from '../../../src/errors.ts'
import { waitFor } from '../../../src/retry.ts'
import { attempt, output } from './commands.ts'
import { exclusive } from './exclusive.ts'
import { LABS } from './files.ts'

// A link `3 -> NAME` says that bridge, nft table and addresses number 3 are lab NAME's. Making a link is atomic.
const NUMBERS = join(LABS, '.numbers')
// Of this machine's kernel, while there are labs. Each node's systemd takes some six inotify instances of root's, who has 128 of them.
const SETTINGS = [
  { file: '/proc/sys/net/ipv4/ip_forward', atLeast: 1 },
  { file: '/proc/sys/fs/inotify/max_user_instances', atLeast: 16_384 },
]

/** A lab's network: 10.213.N.0/24 on a bridge of its own, the way out by one table of its own. */
export interface Network {
  bridge: string
  /** The machine's own address on it: what runs here calls the nodes from it. */
  gateway: string
  /** The lab's own calls come from this one, so that the nodes can tell them from those of a story. */
  own: string
  /** Of node number i, from 1. */
  address(i: number): string
  /** The machine's name for systemd-nspawn, and its end of the cable. */
  machine(i: number): string
  cable(i: number): string
  mac(i: number): string
}

/** Opens a lab's network, or the one it has. */
export const openNetwork = (lab: string): Promise<Network> => exclusive(LABS, () => opened(lab))

function opened(lab: string): Network {
  const number = numberOf(lab) ?? take(lab)
  const network = networkOf(number)
  const { bridge, gateway, own } = network
  if (!existsSync(`/sys/class/net/${bridge}`)) output('ip', ['link', 'add', bridge, 'type', 'bridge'])
  // Without link-local addresses of version 6: the machine has no place on it but this one.
  output('ip', ['link', 'set', bridge, 'addrgenmode', 'none'])
  for (const address of [gateway, own]) output('ip', ['address', 'replace', `${address}/24`, 'dev', bridge])
  output('ip', ['link', 'set', bridge, 'up'])
  raiseSettings()
  output('nft', ['-f', '-'], { input: rules(bridge, number) })
  return network
}

/** From now on this machine's calls to any port of the nodes are refused, but for those to `to`; without it they all get through. */
export function onlyTo(network: Network, to: string | undefined): void {
  const { bridge, gateway } = network
  const chain = `chain ip ${bridge} calls`
  const refuse = `add rule ip ${bridge} calls oifname "${bridge}" ip saddr ${gateway} ip daddr != ${to} ct state new reject`
  output('nft', ['-f', '-'], { input: `flush ${chain}\n${to === undefined ? '' : refuse}\n` })
}

/** Removes what openNetwork made for this lab; the kernel's settings go back with the last lab. */
export async function removeNetwork(lab: string): Promise<void> {
  const number = numberOf(lab)
  if (number !== undefined) {
    const { bridge } = networkOf(number)
    const cables = readdirSync('/sys/class/net').filter(name => name.startsWith(`${cablesOf(number)}-`))
    await Promise.all(cables.map(removeCable))
    attempt('nft', ['delete', 'table', 'ip', bridge])
    attempt('ip', ['link', 'delete', bridge])
    rmSync(join(NUMBERS, String(number)))
  }
  if (taken().length === 0) restoreSettings()
}

/** Unplugs a running node's network cable, or plugs it in. */
export function setCable(network: Network, number: number, plugged: boolean): void {
  const end = plugged ? ['master', network.bridge] : ['nomaster']
  output('ip', ['link', 'set', network.cable(number), ...end])
}

/** The kernel takes a dead node's network apart in its own time; the next boot needs the cable's name. */
export async function removeCable(cable: string): Promise<void> {
  await waitFor({ says: `the network cable ${cable} to go`, deadlineMs: 20_000 }, () => {
    if (!existsSync(`/sys/class/net/${cable}`)) return true
    attempt('ip', ['link', 'delete', cable])
  })
}

/** The network a lab has, if any. */
export function networkOfLab(lab: string): Network | undefined {
  const number = numberOf(lab)
  return number === undefined ? undefined : networkOf(number)
}

const networkOf = (number: number): Network => ({
  bridge: `laolab${number}`,
  gateway: `10.213.${number}.1`,
  own: `10.213.${number}.2`,
  address: i => `10.213.${number}.${10 + i}`,
  machine: i => `lao${number}-${i}`,
  cable: i => `${cablesOf(number)}-${i}`,
  mac: i => ['52', '54', '00', 'd5', ...[number, i].map(n => n.toString(16).padStart(2, '0'))].join(':'),
})

const cablesOf = (number: number) => `vb-lao${number}`

const taken = () => (existsSync(NUMBERS) ? readdirSync(NUMBERS) : [])

function numberOf(lab: string): number | undefined {
  const found = taken().find(number => labOf(number) === lab)
  return found === undefined ? undefined : Number(found)
}

/** The lab with this number, unless it was just removed. */
function labOf(number: string): string | undefined {
  try {
    return readlinkSync(join(NUMBERS, number))
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') throw thrown
  }
}

function take(lab: string): number {
  mkdirSync(NUMBERS, { recursive: true })
  for (let number = 0; number < 250; number++) {
    if (foreign(number)) continue
    try {
      symlinkSync(lab, join(NUMBERS, String(number)))
      return number
    } catch (thrown) {
      if (codeOf(thrown) !== 'EEXIST') throw thrown
    }
  }
  throw new Error('no network in 10.213.0.0/16 is free for a lab')
}

/** Numbers that no lab has, but whose bridge or addresses this machine knows, are somebody else's. */
function foreign(number: number): boolean {
  if (existsSync(join(NUMBERS, String(number)))) return false
  if (existsSync(`/sys/class/net/${networkOf(number).bridge}`)) return true
  return new RegExp(`\\b10\\.213\\.${number}\\.`).test(output('ip', ['-4', 'route', 'show', 'table', 'all']))
}

function raiseSettings(): void {
  for (const { file, atLeast } of SETTINGS) {
    const before = readFileSync(file, 'utf8')
    if (Number(before) >= atLeast) continue
    writeFileSync(beforeLabs(file), before)
    writeFileSync(file, String(atLeast))
  }
}

function restoreSettings(): void {
  for (const { file } of SETTINGS) {
    if (!existsSync(beforeLabs(file))) continue
    writeFileSync(file, readFileSync(beforeLabs(file)))
    rmSync(beforeLabs(file))
  }
}

const beforeLabs = (setting: string) => join(LABS, `.${basename(setting)}`)

const rules = (bridge: string, number: number) => `
table ip ${bridge} {}
delete table ip ${bridge}
table ip ${bridge} {
  chain calls {
    type filter hook output priority filter;
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr 10.213.${number}.0/24 oifname != "${bridge}" masquerade
  }
}
`
