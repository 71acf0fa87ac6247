import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../../src/errors.ts'
import { waitFor } from '../../../src/retry.ts'
import { attempt, output } from './commands.ts'
import { exclusive } from './exclusive.ts'
import { LABS } from './files.ts'

/**
 * The kernel's device control (version 1, mounted for the labs alone) is the fence around every node: root in a node can neither
 * make nor open a device that is not on its list, so no disk of the machine. The same groups say which processes are a lab's.
 */
const MOUNT = join(LABS, '.devices')
const GROUPS = 'llmagentos-lab'

// null zero full random urandom tty console ptmx, pseudo terminals, tun, fuse.
const HARMLESS = '1:3 1:5 1:7 1:8 1:9 5:0 5:1 5:2 136:* 10:200 10:229'.split(' ')

/** The major number of loop devices. */
const LOOP = 7

/**
 * Puts up the fence of a node that does not run. Returns the files to which a process writes its pid to be behind it, and in
 * groups of its own.
 */
export const fence = (lab: string, node: string): Promise<string[]> =>
  exclusive(LABS, () => fenced(lab, node))

async function fenced(lab: string, node: string): Promise<string[]> {
  if (!mounted()) {
    mkdirSync(MOUNT, { recursive: true })
    output('mount', ['-t', 'cgroup', '-o', 'devices', 'llmagentos-lab', MOUNT])
  }
  // Made anew each time: a group above another one takes no new rule for everything, and half a fence is none.
  await removeGroups(join(MOUNT, GROUPS, lab, node))
  for (const group of deviceGroups(lab, node)) {
    mkdirSync(group, { recursive: true })
    writeFileSync(join(group, 'devices.deny'), 'a')
    for (const device of HARMLESS) writeFileSync(join(group, 'devices.allow'), `c ${device} rwm`)
  }
  const groups = others().map(root => join(root, GROUPS, lab, node))
  for (const group of groups) mkdirSync(group, { recursive: true })
  return [deviceGroups(lab, node)[1], ...groups].map(group => join(group!, 'cgroup.procs'))
}

/** Lets a node use one loop device. There is no way to let it use another kind. */
export function allowLoop(o: { lab: string; node: string; minor: number }): void {
  if (!Number.isInteger(o.minor) || o.minor < 0) throw new Error(`no number of a loop device: ${o.minor}`)
  for (const group of deviceGroups(o.lab, o.node))
    writeFileSync(join(group, 'devices.allow'), `b ${LOOP}:${o.minor} rwm`)
}

/**
 * The node's processes live in the inner group. Root in the node can mount that one and write to its list, but never beyond
 * what the outer one allows, which its own view of the groups does not reach.
 */
const deviceGroups = (lab: string, node: string) => {
  const outer = join(MOUNT, GROUPS, lab, node)
  return [outer, join(outer, 'inner')]
}

/** The running processes of a lab, or of one node; groups are the kernel's own record, so they are nobody else's. */
export function processes(lab: string, node = ''): number[] {
  if (!mounted()) return []
  return folders(join(MOUNT, GROUPS, lab, node)).flatMap(group =>
    readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number),
  )
}

/** Kills every process of a lab, or of one node, and waits until none is left. */
export async function killAll(lab: string, node?: string): Promise<void> {
  await waitFor({ says: `the processes of ${lab} ${node ?? ''} to end`, deadlineMs: 20_000 }, () => {
    const left = processes(lab, node)
    for (const pid of left) kill(pid)
    return left.length === 0 ? true : undefined
  })
}

/** Removes the groups of a lab, whose processes have ended; with the last lab the mount goes too. */
export async function removeFence(lab: string): Promise<void> {
  for (const root of mounted() ? [MOUNT, ...others()] : others()) {
    await removeGroups(join(root, GROUPS, lab))
    const all = join(root, GROUPS)
    if (existsSync(all) && readdirSync(all, { withFileTypes: true }).every(entry => !entry.isDirectory()))
      rmdirSync(all)
  }
  if (mounted() && !existsSync(join(MOUNT, GROUPS)) && attempt('umount', [MOUNT])) rmdirSync(MOUNT)
}

const mounted = () => existsSync(join(MOUNT, 'devices.list'))

/** The trees in which systemd keeps its units' groups: without groups of their own two nodes would share one systemd tree. */
function others(): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' '))
    .filter(
      ([, , type, options]) => type === 'cgroup2' || (type === 'cgroup' && options!.includes('name=systemd')),
    )
    .map(([, folder]) => folder!)
    .filter(folder => !folder.startsWith(LABS))
}

async function removeGroups(top: string): Promise<void> {
  await waitFor({ says: `the control group ${top} to be free`, deadlineMs: 10_000 }, () => {
    for (const group of folders(top).reverse()) rmdirSync(group)
    return true
  })
}

/** A group and those below it, parents first. */
function folders(group: string): string[] {
  if (!existsSync(group)) return []
  const below = readdirSync(group, { withFileTypes: true }).filter(entry => entry.isDirectory())
  return [group, ...below.flatMap(entry => folders(join(group, entry.name)))]
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (thrown) {
    if (codeOf(thrown) !== 'ESRCH') throw thrown
  }
}
