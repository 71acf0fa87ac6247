import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../../src/retry.ts'
import { attach, disksOf } from './disks.ts'
import { processes } from './fence.ts'
import type { Machine } from './machine.ts'
import type { Place } from './place.ts'

const NSPAWN = '/run/systemd/nspawn'

/** A node as a container of systemd-nspawn, on the kernel of this machine. */
export const container: Machine = {
  deadlineMs: 90_000,
  async prepare(place) {
    for (const disk of disksOf(place)) attach(place, disk)
  },
  argv: (place, network) => [
    'systemd-nspawn',
    '--quiet',
    // The first process of this machine need not be systemd.
    '--register=no',
    '--keep-unit',
    '--boot',
    `--directory=${place.root}`,
    `--machine=${network.machine(place.number)}`,
    `--hostname=${place.node}`,
    `--network-bridge=${network.bridge}`,
    '--link-journal=no',
    '--resolv-conf=off',
    '--timezone=off',
  ],
  async connect() {},
  runs: place => leaderOf(place) !== undefined,
  // systemd keeps ordinary users out until the boot is far enough.
  async letsIn(place) {
    const leader = leaderOf(place)
    return leader !== undefined && !existsSync(`/proc/${leader}/root/run/nologin`)
  },
  async shutDownToReboot(place) {
    const before = leaderOf(place)!
    // What Ctrl-Alt-Del sends.
    process.kill(before, 'SIGINT')
    await waitFor({ says: `${place.node} to shut down`, deadlineMs: 120_000, everyMs: 100 }, () =>
      leaderOf(place) === before ? undefined : true,
    )
  },
  addDisk(place, disk) {
    const leader = leaderOf(place)
    if (leader !== undefined) attach(place, disk, leader)
  },
}

/** Removes what systemd-nspawn itself wrote outside of the folder of a node, whose root is still mounted. */
export function removeTraces(place: Place, machine: string): void {
  const { dev, ino } = statSync(place.root)
  for (const name of [`locks/inode-${dev}:${ino}`, `locks/name-${machine}`, `propagate/${machine}`])
    rmSync(join(NSPAWN, name), { recursive: true, force: true })
  for (const folder of [join(NSPAWN, 'locks'), join(NSPAWN, 'propagate'), NSPAWN])
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
}

/** The first process of a running node, as this machine numbers it. */
function leaderOf(place: Place): number | undefined {
  return processes(place.lab, place.node).find(pid => {
    const numbers = namespacePids(pid)
    return numbers.length === namespacePids(process.pid).length + 1 && numbers.at(-1) === '1'
  })
}

const namespacePids = (pid: number) =>
  /^NSpid:\s+(.*)$/m.exec(textOf(`/proc/${pid}/status`))?.[1]?.split('\t') ?? []

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
