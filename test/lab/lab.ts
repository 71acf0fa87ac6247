import { EXIT, Failure } from '../../src/errors.ts'
import { machineOf, powerOff, powerOn, reboot } from './parts/boot.ts'
import { type Network, networkOfLab, onlyTo, setCable } from './parts/bridge.ts'
import { quote, type Ran, ran } from './parts/commands.ts'
import { newDisk } from './parts/disks.ts'
import { folderOf, type Record, recordOf } from './parts/files.ts'
import { keysOf } from './parts/furnish.ts'
import { filesOf, loginsOf, outputOf } from './parts/look.ts'
import { open, type Wanted } from './parts/open.ts'
import { mountRoot, type Place, placeOf } from './parts/place.ts'
import type { Suite } from './parts/recipe.ts'
import { removeLab } from './parts/remove.ts'

export type { Ran } from './parts/commands.ts'
export type { Wanted } from './parts/open.ts'
export { type Flavour, SUITES, type Suite } from './parts/recipe.ts'

/** Debian machines on a network of their own. Root, `ops` (sudo without a password) and `ops-ask` (with `password`) take `key`. */
export interface Lab {
  name: string
  suite: Suite
  folder: string
  nodes: LabNode[]
  /** Files: a private key, and what ssh reads (`ssh -F sshConfig n1`). */
  key: string
  knownHosts: string
  sshConfig: string
  password: string
  node(name: string): LabNode
  /** From now on this machine gets to no port of a node but the bastion's; the lab's own calls do. Without a name all are open again. */
  bastion(name?: string): void
  /** Ends and removes everything of this lab. */
  close(): Promise<void>
}

export interface LabNode {
  name: string
  address: string
  /** Runs one command, as root unless `user` says otherwise. Never throws for its exit code; 255 is ssh's own. */
  ssh(argv: string[], o?: SshOptions): Promise<Ran>
  /** Runs a line of shell, as root unless `user` says otherwise, and returns its output. Throws with its standard error where it fails. */
  run(line: string, o?: SshOptions): Promise<string>
  /** Takes the power away, at once. */
  kill(): Promise<void>
  /** Gives power; returns when sshd answers. Its network cable is plugged in then. */
  start(): Promise<void>
  /** Shuts it down in good order and boots it; returns when sshd answers again. */
  reboot(): Promise<void>
  running(): boolean
  /** Unplugs and plugs in its network cable. */
  cut(): void
  heal(): void
  /** Adds a blank disk (512M, 6G ...; a sparse file) and returns its path in the node, where it stays over kill and reboot. A guest must be off. */
  addDisk(size?: string): Promise<string>
  /** All that lies in these folders (/etc, /opt, /var/lib/llmagentos), as lines to compare: nobody wrote where they are equal. */
  files(folders?: string[]): Promise<string[]>
  /** How often sshd let somebody in since the node was made, without the lab's own calls. */
  logins(): Promise<number>
  suite: Suite
  /** A file of this machine: all that its console said. */
  console: string
}

export interface SshOptions {
  user?: string
  input?: string
  /** 2 minutes unless said otherwise. */
  deadlineMs?: number
}

/** A lab for as long as this process lives; what labs of processes that are gone have left is removed first. */
export async function openLab(wanted: Wanted): Promise<Lab> {
  return labOf(await open(wanted, { stays: false }))
}

/** A lab that stays when this process ends. Called again it adds the nodes and the power that are missing. */
export async function keepLab(wanted: Wanted & { name: string }): Promise<Lab> {
  return labOf(await open(wanted, { stays: true }))
}

/** The lab of this name as it stands, whoever made it. */
export function findLab(name: string): Lab | undefined {
  const record = recordOf(name)
  return record && networkOfLab(name) ? labOf(record) : undefined
}

function labOf(record: Record): Lab {
  const network = networkOfLab(record.name)!
  const nodes = record.nodes.map(node =>
    nodeOf({ place: placeOf(record, node), network, suite: node.suite ?? record.suite }),
  )
  return {
    name: record.name,
    suite: record.suite,
    folder: folderOf(record.name),
    nodes,
    ...keysOf(record.name),
    password: record.password,
    node(name) {
      const found = nodes.find(node => node.name === name || node.address === name)
      const next = `Its nodes: ${nodes.map(node => node.name).join(', ')}.`
      if (!found) throw new Failure(`The lab has no node ${name}.`, { exit: EXIT.usage, next })
      return found
    },
    bastion(name) {
      onlyTo(network, name === undefined ? undefined : this.node(name).address)
    },
    close: () => removeLab(record.name),
  }
}

function nodeOf({ place, network, suite }: { place: Place; network: Network; suite: Suite }): LabNode {
  const over = (line: string, { user = 'root', input = '', deadlineMs }: SshOptions = {}) => {
    const ssh = ['ssh', '-F', keysOf(place.lab).sshConfig, '-b', network.own, `${user}@${place.node}`, '--']
    return ran([...ssh, line], { input, deadlineMs })
  }
  const run = async (line: string, o?: SshOptions) => outputOf(line, await over(line, o))
  return {
    name: place.node,
    suite,
    address: network.address(place.number),
    ssh: (argv, o) => over(argv.map(quote).join(' '), o),
    run,
    files: (folders = ['/etc', '/opt', '/var/lib/llmagentos']) => filesOf(run, folders),
    logins: () => loginsOf(run, network.own),
    kill: () => powerOff(place, network),
    async start() {
      mountRoot(place)
      await powerOn(place, network)
    },
    reboot: () => reboot(place, network),
    running: () => machineOf(place).runs(place),
    cut: () => setCable(network, place.number, false),
    heal: () => setCable(network, place.number, true),
    async addDisk(size = '6G') {
      const disk = newDisk(place, size)
      machineOf(place).addDisk(place, disk)
      return `/dev/${disk}`
    },
    console: place.console,
  }
}
