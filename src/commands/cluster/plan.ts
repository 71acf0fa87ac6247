import { EXIT } from '../../errors.ts'
import type { Command } from '../command.ts'
import { type MachineFlags, machineFlags, withMachines } from '../machines/index.ts'
import { planJson, planText } from '../views/plan.ts'
import { settleDisks } from './accept-disks.ts'
import { type FileFlags, fileOptions, wantedOf } from './machines.ts'

interface Flags extends MachineFlags, FileFlags {
  exitCode?: boolean
}

export const plan: Command<Flags> = {
  name: 'plan',
  summary: 'show what `cluster up` would change on the machines, and change nothing',
  options: [
    ...machineFlags,
    { flag: '--exit-code', says: 'end with 10 when there is something to change' },
    ...fileOptions,
  ],
  example: 'llmagentos cluster plan -f cluster.yaml',
  more: 'Some steps are known only after the first ones are done; then the plan says so. Files with secrets in them show no differences.',
  async run({ flags, json, io }) {
    await settleDisks({ flags, io, required: false })
    return withMachines({ flags, io }, async machines => {
      const { differences, look, nothingToDo, stoppedIn } = await import('../../provision/index.ts')
      const wanted = await wantedOf(machines, { flags, io })
      const { plans, skipped } = await look(wanted)
      const diffs = await differences(plans, wanted)
      const silent = [...skipped, ...stoppedIn(plans)]
      if (json) io.print(JSON.stringify(planJson(plans, { diffs, silent })))
      else {
        for (const line of planText(plans, { diffs, cluster: machines.cluster.name })) io.print(line)
        for (const { node, why } of silent) io.say(`${node} is not part of it: ${why}`)
      }
      if (silent.length > 0) return EXIT.unreachable
      return flags.exitCode && !nothingToDo(plans) ? EXIT.changes : EXIT.ok
    })
  },
}
