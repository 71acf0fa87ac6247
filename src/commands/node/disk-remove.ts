import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import { agreeByName, saysName } from '../cluster/confirm.ts'
import { wantedOf } from '../cluster/machines.ts'
import type { Call } from '../command.ts'
import { nodeNamed } from '../machines/choose.ts'
import type { MachineFlags } from '../machines/flags.ts'
import { withMachines } from '../machines/machines.ts'
import { planText } from '../views/plan.ts'
import { progressOf } from '../views/up-progress.ts'
import { afterVerb } from './after-verb.ts'

interface Flags extends MachineFlags {
  confirm?: string
}

/** `node disk remove NODE DISK`: moves what is on it elsewhere, gives it up, and takes it out of cluster.yaml. */
export function removed(call: Call<Flags>, o: { node: string; disk: string }): Promise<ExitCode> {
  const { flags, json, io } = call
  return withMachines({ flags, io }, async machines => {
    const { cluster, file } = machines
    const node = nodeNamed(cluster, o.node)
    const named = `${cluster.name}/${o.node}/${o.disk}`
    const asked = {
      name: named,
      confirmed: flags.confirm,
      isName: 'the names of cluster, node and disk',
      again: `llmagentos node disk remove ${o.node} ${o.disk} --confirm ${named}`,
      what: `This moves what is on ${o.disk} of ${o.node} to other disks, and gives it up.`,
    }
    saysName(asked)
    const { edit, removeDisk } = await import('../../provision/index.ts')
    const progress = await progressOf({ json, io })
    const applied = await removeDisk({
      ...(await wantedOf(machines, { flags: {}, io })),
      ...o,
      lockWaitMs: 0,
      onEvent: event => progress.tell(event),
      async agree(plans) {
        if (!json) for (const line of planText(plans, { cluster: cluster.name })) io.say(line)
        await agreeByName(asked, { json, io })
      },
    }).finally(() => progress.stop())
    afterVerb(applied, {
      what: `${o.disk} was not given up.`,
      next: 'Run the same command again: it goes on from there. To keep the disk after all: ceph osd in ID, on a control node.',
    })
    const at = node.disks.findIndex(({ id }) => id === o.disk)
    if (at < 0 && applied.done.length === 0)
      throw new Failure(
        `Nothing of this cluster lies on ${o.disk} of ${o.node}, and cluster.yaml does not name it.`,
        {
          exit: EXIT.usage,
          next: `See the disks: llmagentos node disk list ${o.node}`,
        },
      )
    if (at >= 0) {
      const path = ['nodes', cluster.nodes.indexOf(node), 'disks', at]
      edit(file, [{ path, value: undefined }], io.env)
    }
    if (json) io.print(JSON.stringify({ event: 'done', removed: `${o.node}/${o.disk}` }))
    else {
      io.print(
        `${o.disk} of ${o.node} is given up, and no longer in ${file}. What was written on it is still there.`,
      )
      io.print(`  next     llmagentos cluster up; to empty it: llmagentos node disk wipe ${o.node} ${o.disk}`)
    }
    return EXIT.ok
  })
}
