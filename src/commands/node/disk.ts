import { hostname, userInfo } from 'node:os'
import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import type { Cluster } from '../../provision/index.ts'
import type { Call, Command } from '../command.ts'
import { atTerminal } from '../machines/ask.ts'
import { nodeNamed } from '../machines/choose.ts'
import { fileFlag, hostKeyFlag, type MachineFlags } from '../machines/flags.ts'
import { withMachines } from '../machines/machines.ts'
import { removed } from './disk-remove.ts'
import { replaced } from './disk-replace.ts'
import { diskRow } from './disk-row.ts'
import { exitOf, sayFailure } from './outcomes.ts'

interface Flags extends MachineFlags {
  yesWipe?: string
  fewerCopies?: boolean
  confirm?: string
}

const WHAT = ['list', 'wipe', 'replace', 'remove']

export const disk: Command<Flags> = {
  name: 'disk',
  summary: 'list the disks of nodes and what is on them, wipe one, replace one by another, or give one up',
  arguments: [
    { name: 'what', says: '`list`, `wipe`, `replace` or `remove`', choices: WHAT },
    { name: 'node', says: 'a name of cluster.yaml; list shows all nodes without it', optional: true },
    { name: 'disk', says: 'its name, as `list` shows it', optional: true },
    { name: 'new', says: 'with replace: the blank disk that takes its place', optional: true },
  ],
  options: [
    fileFlag,
    hostKeyFlag,
    {
      flag: '--yes-wipe <node/disk>',
      says: 'with wipe: agree to lose all that is on that disk of that node',
    },
    {
      flag: '--fewer-copies',
      says: 'with replace: do not wait until all copies are elsewhere, only until none is the last one',
    },
    {
      flag: '--confirm <cluster/node/disk>',
      says: 'with remove: agree to it without being asked, by these names',
    },
  ],
  example: 'llmagentos node disk list',
  more: [
    'A disk is blank when it has no signature of anything, no partition, holder or mount, nobody has it open exclusively, and its first and',
    'last 4 MiB are all zeros or all ones; it is not removable, not read-only, and has 5 GiB or more. Nothing else ever becomes storage.',
    'Wipe shows what is there and wants NODE/DISK typed. It refuses the disk of the system, one that is mounted or part of something active,',
    'and one that is open anywhere, such as that of a running OSD.',
    'Replace gives up the OSD of a disk once no data needs it, and names the new disk in cluster.yaml; its OSD gets the same id from `cluster up`.',
    'Remove gives one up for good: its data moves to other disks first, while it serves. Refused when fewer places than copies would be left,',
    'or the others would become nearly full. The disk is left as it is, and leaves cluster.yaml.',
    'Exit codes of wipe: 0 it is blank now, 2 there is no such disk, 9 refused, 7 somebody else is changing the cluster, 5 it failed.',
  ].join('\n'),
  async run(call) {
    const [what, node, name, ...rest] = call.args
    if (what === 'list' && name === undefined) return list(call, node)
    if (what === 'wipe' && node !== undefined && name !== undefined && rest.length === 0)
      return wipe(call, { node, name })
    if (what === 'replace' && node !== undefined && name !== undefined && rest[0] !== undefined)
      return replaced(call, { node, from: name, to: rest[0] })
    if (what === 'remove' && node !== undefined && name !== undefined && rest.length === 0)
      return removed(call, { node, disk: name })
    throw new Failure(what === 'list' ? '`list` takes one node at most.' : 'Which disk, of which node?', {
      exit: EXIT.usage,
      next: 'llmagentos node disk list [NODE], wipe NODE DISK, replace NODE OLD NEW, or remove NODE DISK',
    })
  },
}

function list(call: Call<Flags>, node: string | undefined): Promise<ExitCode> {
  const { flags, json, io } = call
  const choose = node === undefined ? undefined : (cluster: Cluster) => [nodeNamed(cluster, node)]
  return withMachines({ flags, io, choose, goOnWithoutUnknown: true }, async ({ nodes, each }) => {
    const { listDisks } = await import('../../provision/index.ts')
    const outcomes = await each(on => listDisks(on, { signal: io.signal }))
    const found = outcomes.flatMap(one => (one.failure ? [] : [{ node: one.node, disks: one.value }]))
    if (json) io.print(JSON.stringify({ nodes: found.map(({ node: { name }, disks }) => ({ name, disks })) }))
    else {
      const { table } = await import('../views/table.ts')
      const rows = nodes.flatMap(({ name }) =>
        (found.find(one => one.node.name === name)?.disks ?? []).map(one => [name, ...diskRow(one)]),
      )
      if (rows.length > 0) io.print(table(['NODE', 'DISK', 'NOW', 'SIZE', 'SERIAL', 'KIND', 'IS'], rows))
      else io.print('There are no disks.')
    }
    for (const one of outcomes) if (one.failure) sayFailure(one.node.name, one.failure, call)
    return exitOf(outcomes)
  })
}

function wipe(call: Call<Flags>, o: { node: string; name: string }): Promise<ExitCode> {
  const { flags, io } = call
  const wanted = `${o.node}/${o.name}`
  if (flags.yesWipe !== undefined && flags.yesWipe !== wanted)
    throw new Failure(`--yes-wipe ${flags.yesWipe} is not the disk ${wanted}.`, {
      exit: EXIT.unsafe,
      next: `llmagentos node disk wipe ${o.node} ${o.name} --yes-wipe ${wanted}`,
    })
  const choose = (cluster: Cluster) => [
    ...new Set([nodeNamed(cluster, o.node), ...cluster.nodes.filter(node => node.roles.includes('control'))]),
  ]
  return withMachines({ flags, io, choose }, async ({ cluster, nodes, on }) => {
    const { wipeOf } = await import('../../provision/index.ts')
    const { shown, wipe } = await wipeOf(await on(nodes[0]!), { ...o, node: nodes[0]!, signal: io.signal })
    const { table } = await import('../views/table.ts')
    io.say(table(['NODE', 'DISK', 'NOW', 'SIZE', 'SERIAL', 'KIND', 'IS'], [[o.node, ...diskRow(shown)]]))
    await agreed(wanted, call)
    const { failed, notRun } = await wipe({
      cluster,
      connect: on,
      who: `${io.env['USER'] ?? userInfo().username}@${hostname()}`,
      signal: io.signal,
    })
    for (const { why, stderr } of failed) io.say(`${wanted} was not wiped: ${stderr.trim() || why}`)
    if (failed.length > 0 || notRun.length > 0) return EXIT.partial
    io.print(call.json ? JSON.stringify({ wiped: wanted }) : `${wanted} is blank now.`)
    return EXIT.ok
  })
}

/** Throws Failure (9) unless node and disk are typed, or were given. */
async function agreed(wanted: string, { flags, json, io }: Call<Flags>): Promise<void> {
  if (flags.yesWipe === wanted) return
  if (json || !atTerminal(io))
    throw new Failure(`All that is on ${wanted} would be lost, and there is nobody to ask.`, {
      exit: EXIT.unsafe,
      next: `Run it again with --yes-wipe ${wanted}`,
    })
  const { ask } = await import('../views/prompt.ts')
  if ((await ask(`All that is on it will be lost. Type ${wanted} to go on:`, io)) === wanted) return
  throw new Failure('Nothing was wiped.', {
    exit: EXIT.unsafe,
    why: `What was typed is not ${wanted}.`,
  })
}
