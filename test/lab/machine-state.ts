import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { type Network, networkOfLab } from './parts/bridge.ts'
import { output } from './parts/commands.ts'
import { folderOf, LABS, labNames, labs, lives } from './parts/files.ts'

/** What is on this machine, as lines that name it. */
export interface State {
  own: string[]
  /** What all labs have in common and the last one takes away; undefined while other processes have labs. */
  shared?: string[]
}

// What else happens on this machine meanwhile is nobody's leftover: a lab's things bear one of these names.
const OF_LABS = /lao|llmagentos|nspawn|10\.213\.|^partition|^disk/

/** All that a lab could leave on this machine or change of it, without what belongs to the labs of others. */
export function machineState(): State {
  const before = othersLabs()
  const seen = lookAround()
  // Those that came or went while we looked.
  const theirs = new Set([...before, ...othersLabs()])
  const own = seen.filter(
    line => OF_LABS.test(line) && ![...theirs, `${LABS}/.`].some(name => `${line} `.includes(name)),
  )
  return { own: own.sort(), shared: theirs.size === 0 ? shared() : undefined }
}

/** Names by which the labs of other processes, and those made to stay that this run did not make, are known on this machine. */
function othersLabs(): string[] {
  const run = Number(process.env['LLMAGENTOS_LAB_RUN'])
  return labs()
    .filter(lab => (lab.owner ? lab.owner.pid !== process.pid && lives(lab.owner) : lab.run?.pid !== run))
    .flatMap(({ name }) => [`${folderOf(name)}/`, ` ${folderOf(name)} `, ...namesOf(networkOfLab(name))])
}

function lookAround(): string[] {
  return [
    ...lines('mount', readFileSync('/proc/self/mounts', 'utf8')),
    ...readdirSync('/sys/class/net').map(name => `link ${name}`),
    ...lines('address', output('ip', ['-brief', 'address'])),
    ...lines('route', output('ip', ['route', 'show', 'table', 'all'])),
    ...lines('table', output('nft', ['list', 'tables'])),
    ...lines('loop', output('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE'])),
    ...processes(),
    ...labNames().map(name => `lab ${folderOf(name)}`),
    ...disks(),
  ]
}

/** The machine must be as it was. */
export function expectAsBefore(before: State): void {
  const now = machineState()
  expect(now.own).toEqual(before.own)
  if (now.shared && before.shared) expect(now.shared).toEqual(before.shared)
}

function namesOf(network: Network | undefined): string[] {
  if (!network) return []
  const every = [network.cable, network.machine, network.address].map(of => of(0).replace(/\d+$/, ''))
  return [` ${network.bridge} `, ...every]
}

const shared = () =>
  [
    ...lines('rule', output('nft', ['list', 'ruleset'])),
    ...['net/ipv4/ip_forward', 'fs/inotify/max_user_instances'].map(
      name => `setting ${name} ${readFileSync(`/proc/sys/${name}`, 'utf8').trim()}`,
    ),
    ...lines('group', output('find', ['/sys/fs/cgroup', '-type', 'd', '-name', 'llmagentos-lab'])),
    ...['/run/systemd/nspawn', LABS].flatMap(folder =>
      existsSync(folder)
        ? readdirSync(folder, { recursive: true }).map(name => `file ${folder}/${name}`)
        : [],
    ),
  ].sort()

const lines = (what: string, text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map(line => `${what} ${line}`)

function processes(): string[] {
  return readdirSync('/proc').flatMap(pid => {
    if (!/^\d+$/.test(pid) || !existsSync(`/proc/${pid}/cmdline`)) return []
    const words = textOf(`/proc/${pid}/cmdline`).split('\0')
    return words.includes('systemd-nspawn') ? [`process ${pid} ${words.join(' ')}`] : []
  })
}

/** Sizes, partitions and the first KiB, which holds the partition table and comes before a file system's own counters. */
function disks(): string[] {
  const partitions = lines('partition', readFileSync('/proc/partitions', 'utf8')).filter(
    line => !line.includes('loop'),
  )
  const names = partitions
    .flatMap(line => /(\S+)$/.exec(line)?.[1] ?? [])
    .filter(name => existsSync(`/dev/${name}`))
  return [...partitions, ...names.map(name => `disk ${name} ${startOf(`/dev/${name}`)}`)]
}

/** Some machines keep their disks even from their own root. */
function startOf(device: string): string {
  const read = spawnSync('head', ['--bytes=1024', device])
  return read.status === 0 ? read.stdout.toString('hex') : 'not readable'
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
