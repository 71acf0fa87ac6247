import { EXIT } from '../../errors.ts'
import { agreeByName, saysName } from '../cluster/confirm.ts'
import { wantedOf } from '../cluster/machines.ts'
import type { Command } from '../command.ts'
import { nodeNamed } from '../machines/choose.ts'
import { fileFlag, hostKeyFlag, type MachineFlags } from '../machines/flags.ts'
import { withMachines } from '../machines/machines.ts'
import { planText } from '../views/plan.ts'
import { progressOf } from '../views/up-progress.ts'
import { afterVerb } from './after-verb.ts'

interface Flags extends MachineFlags {
  confirm?: string
}

export const demote: Command<Flags> = {
  name: 'demote',
  summary: 'take the vote from a node that cluster.yaml no longer has as a control node',
  arguments: [{ name: 'node', says: 'a name of cluster.yaml' }],
  options: [
    fileFlag,
    hostKeyFlag,
    { flag: '--confirm <cluster/node>', says: 'agree to it without being asked, by these names' },
  ],
  example: 'llmagentos node demote n3',
  more: [
    'First take the role control from the node in cluster.yaml. `cluster up` never takes a vote away; this does, one node at a time: its monitor',
    'leaves when the others keep their majority without it and none of them is missing, which they are asked again right before. Then `cluster up`',
    'takes away what else is no longer kept there. Several nodes are demoted one after the other.',
    'A node whose machine is gone for good is demoted too: write state: offline for it.',
    'Exit codes: 0 done, 2 it is still a control node in the file, 4 a node does not answer, 5 it failed, 7 somebody else is changing the cluster,',
    '9 refused.',
  ].join('\n'),
  run({ args: [name], flags, json, io }) {
    return withMachines({ flags, io }, async machines => {
      const { cluster } = machines
      const { name: node } = nodeNamed(cluster, name!)
      const asked = {
        name: `${cluster.name}/${node}`,
        confirmed: flags.confirm,
        isName: 'the names of cluster and node',
        again: `llmagentos node demote ${node} --confirm ${cluster.name}/${node}`,
        what: `This takes the vote from ${node}.`,
      }
      saysName(asked)
      const { demote } = await import('../../provision/index.ts')
      const progress = await progressOf({ json, io })
      const applied = await demote({
        ...(await wantedOf(machines, { flags: {}, io })),
        node,
        lockWaitMs: 0,
        onEvent: event => progress.tell(event),
        async agree(plans) {
          if (!json) for (const line of planText(plans, { cluster: cluster.name })) io.say(line)
          await agreeByName(asked, { json, io })
        },
      }).finally(() => progress.stop())
      afterVerb(applied, { what: `${node} was not demoted.` })
      const changed = applied.done.length
      if (json) io.print(JSON.stringify({ event: 'done', demoted: node, changed }))
      else {
        io.print(
          changed === 0 ? `${node} has no vote. Nothing was changed.` : `${node} has no vote any more.`,
        )
        io.print('  next     llmagentos cluster up: takes away what else is no longer kept there')
      }
      return EXIT.ok
    })
  },
}
