import { hostname, userInfo } from 'node:os'
import { EXIT, Failure } from '../../errors.ts'
import type { CheckReport } from '../../provision/index.ts'
import type { Call, Command, Io } from '../command.ts'
import { atTerminal } from '../machines/ask.ts'
import { type MachineFlags, machineFlags } from '../machines/flags.ts'
import { type Machines, withMachines } from '../machines/machines.ts'
import { reportLines } from './check-report.ts'

interface Flags extends MachineFlags {
  fix?: boolean
  yes?: boolean
}

export const check: Command<Flags> = {
  name: 'check',
  summary: 'look whether machines are ready for the cluster',
  options: [
    ...machineFlags,
    {
      flag: '--fix',
      says: 'then put right what is safe to: start a time service, let dpkg finish; asks first',
    },
    { flag: '--yes', says: 'with --fix: do not ask' },
  ],
  example: 'llmagentos cluster check -f cluster.yaml',
  more: [
    'All nodes are asked at once: way and sudo, system, clock, addresses and names, memory, disks, ports, packages, speed of synced',
    'writes, and whether they reach each other and their archives.',
    'Exit codes: 0 nothing stands against it, 3 something is bad or could not be found out, 4 a node was not reached; with --fix',
    'as it is afterwards, and 5 where a repair failed.',
  ].join('\n'),
  async run(call) {
    const { flags, io } = call
    if (flags.yes && !flags.fix)
      throw new Failure('--yes does nothing without --fix.', { exit: EXIT.usage, next: 'Take it away.' })
    return withMachines({ flags, io, goOnWithoutUnknown: true }, async machines => {
      const { check, checkExit } = await import('../../provision/index.ts')
      const { cluster, nodes, on } = machines
      const look = () => check({ cluster, nodes, connect: on, signal: io.signal })
      const before = await look()
      if (!flags.fix || before.repairs.length === 0) {
        await show(before, call)
        if (flags.fix && !call.json) io.say('There is nothing that --fix can put right.')
        return checkExit(before)
      }
      const failed = await repair(before, { call, machines })
      const after = await look()
      await show(after, call)
      return failed ? EXIT.partial : checkExit(after)
    })
  },
}

async function show(report: CheckReport, { json, io }: Pick<Call<Flags>, 'json' | 'io'>): Promise<void> {
  if (json) return io.print(JSON.stringify(report))
  const { table } = await import('../views/table.ts')
  for (const line of reportLines(report, table)) io.print(line)
}

/** True when a step failed. Throws Failure: 2 where nobody can be asked, 130 for a no. */
async function repair(
  { repairs }: CheckReport,
  { call, machines }: { call: Call<Flags>; machines: Machines },
): Promise<boolean> {
  const { io, flags } = call
  io.say('This can be put right:')
  for (const { node, says } of repairs) io.say(`  ${node}: ${says}`)
  if (!flags.yes) await agreed(io, call.json)
  const { fix } = await import('../../provision/index.ts')
  const { failed, notRun } = await fix(repairs, {
    cluster: machines.cluster,
    connect: machines.on,
    who: `${io.env['USER'] ?? userInfo().username}@${hostname()}`,
    signal: io.signal,
  })
  for (const { step, why, stderr } of failed)
    io.say(
      `FAILED ${step.node}: ${step.says}: ${why} ${stderr.trim().split('\n').slice(-3).join('; ')}`.trim(),
    )
  return failed.length > 0 || notRun.length > 0
}

async function agreed(io: Io, json: boolean): Promise<void> {
  if (json || !atTerminal(io))
    throw new Failure('There is something to put right, and nobody to ask.', {
      exit: EXIT.usage,
      next: 'Run it again with --yes.',
    })
  const { agree } = await import('../views/prompt.ts')
  if (await agree('Do this?', io)) return
  throw new Failure('Nothing was changed.', { exit: EXIT.interrupted })
}
