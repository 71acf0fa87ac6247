import { EXIT, Failure } from '../../errors.ts'
import type { BlankDisks } from '../../provision/index.ts'
import type { Io, Option } from '../command.ts'
import { readCluster } from '../machines/file.ts'
import { type MachineFlags, withMachines } from '../machines/index.ts'
import { diskRow } from '../node/disk-row.ts'

export const acceptFlag: Option = {
  flag: '--accept-disks',
  says: 'write the blank disks of nodes with `disks: all-blank` into cluster.yaml, and go on with them',
}

/**
 * Where the file says `disks: all-blank`: shows the blank disks. They are written into the file when they are accepted; without that
 * `required` throws Failure (2), because nothing becomes storage that nobody has seen.
 */
export async function settleDisks(o: {
  flags: MachineFlags & { acceptDisks?: boolean }
  io: Io
  required: boolean
}): Promise<void> {
  const { flags, io } = o
  const provision = await import('../../provision/index.ts')
  const { cluster, file } = await readCluster(flags, io)
  const open = provision.withAllBlank(cluster).filter(node => node.state !== 'offline')
  if (open.length === 0) return
  const found: BlankDisks[] = []
  await withMachines({ flags, io, choose: () => open }, async ({ each }) => {
    for (const one of await each(on => provision.blankDisks(on, { signal: io.signal }))) {
      if (one.failure) throw one.failure
      found.push(one.value)
    }
  })
  const { table } = await import('../views/table.ts')
  const rows = found.flatMap(({ node, disks }) => disks.map(disk => [node, ...diskRow(disk)]))
  io.say('`disks: all-blank` means:')
  io.say(table(['NODE', 'DISK', 'NOW', 'SIZE', 'SERIAL', 'KIND', 'IS'], rows))
  if (flags.acceptDisks) {
    provision.acceptDisks(file, { cluster, found, env: io.env })
    io.say(`They stand in ${file} now; disks that come later are only told of.`)
    return
  }
  const next =
    'If all of them may be used: llmagentos cluster up --accept-disks, which writes them into cluster.yaml.'
  if (o.required)
    throw new Failure('Nobody has accepted these disks yet, and nothing was changed.', {
      exit: EXIT.usage,
      next,
    })
  io.say(next)
}
