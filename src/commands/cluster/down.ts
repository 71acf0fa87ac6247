import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import type { Call, Command } from '../command.ts'
import { clusterFile, machineFlags } from '../machines/index.ts'
import { timeSpan } from '../node/time.ts'
import { each } from '../values.ts'
import { agreeByName } from './confirm.ts'
import { type DownFlags, downMachines } from './down-machines.ts'

interface Flags extends DownFlags {
  purge?: boolean
}

export const down: Command<Flags> = {
  name: 'down',
  summary: 'stop the cluster, or take it off its machines; what it stored is kept',
  options: [
    { flag: '--purge', says: 'on one machine: also remove everything it stored, after asking' },
    { flag: '--purge-data', says: 'with a cluster.yaml: also destroy everything it stored' },
    { flag: '--confirm <name>', says: 'the name of the cluster: agrees without a question' },
    ...machineFlags,
    {
      flag: '--lock-wait <time>',
      says: 'how long to wait for somebody who is changing the cluster: 90s, 10m',
      parse: timeSpan,
    },
    {
      flag: '--forget <node>',
      says: 'a member that cluster.yaml no longer has, and whose machine is gone for good',
      parse: each,
    },
  ],
  example: 'llmagentos cluster down',
  more: [
    'Without a cluster.yaml it stops the cluster on this machine.',
    'With one it removes from the machines what `cluster up` brought there, the other way round, and brings back what was there before; it shows all of it and wants the name typed.',
    'What the cluster stored stays, and the next `cluster up` takes it up again. All machines have to answer: those that are gone for good are left out by `state: offline`, or by naming the others with --on.',
  ].join('\n'),
  async run(call) {
    const { flags, io } = call
    const file = clusterFile(flags, io)
    if (file === undefined) {
      if (flags.purgeData)
        throw misplaced('--purge-data', 'There is no cluster.yaml; for this machine it is --purge.')
      return downHere(call)
    }
    if (flags.purge)
      throw misplaced('--purge', `It is for the cluster on this machine; for ${file} it is --purge-data.`)
    return downMachines(call)
  },
}

const misplaced = (flag: string, why: string) =>
  new Failure(`${flag} does not fit here.`, { exit: EXIT.usage, why })

async function downHere({ flags, json, io }: Call<Flags>): Promise<ExitCode> {
  const { downLocal, LOCAL } = await import('../../runtime/index.ts')
  if (flags.purge)
    await agreeByName(
      {
        name: LOCAL,
        confirmed: flags.confirm,
        again: `llmagentos cluster down --purge --confirm ${LOCAL}`,
        what: 'This removes all tasks, sessions, objects, knowledge and keys.',
        refusal: '--purge removes everything that the cluster stored.',
      },
      { json, io },
    )
  const how = await downLocal({ env: io.env, signal: io.signal, purge: flags.purge === true })
  const says = {
    stopped: 'The cluster is stopped',
    killed: 'The cluster did not stop in time and was killed',
    absent: 'No cluster was running',
  }[how]
  if (json) io.print(JSON.stringify({ event: 'done', stopped: how, purged: flags.purge === true }))
  else
    io.print(flags.purge ? `${says}; everything it stored is removed.` : `${says}. What it stored is kept.`)
  return how === 'killed' ? EXIT.partial : EXIT.ok
}
