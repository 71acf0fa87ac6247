import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import { wantedOf } from '../cluster/machines.ts'
import type { Call } from '../command.ts'
import { nodeNamed } from '../machines/choose.ts'
import type { MachineFlags } from '../machines/flags.ts'
import { withMachines } from '../machines/machines.ts'
import { progressOf } from '../views/up-progress.ts'
import { afterVerb } from './after-verb.ts'

interface Flags extends MachineFlags {
  yesWipe?: string
  fewerCopies?: boolean
}

/** `node disk replace NODE OLD NEW`: gives up the old one, and names the new one in cluster.yaml. */
export function replaced(
  call: Call<Flags>,
  o: { node: string; from: string; to: string },
): Promise<ExitCode> {
  const { flags, json, io } = call
  return withMachines({ flags, io }, async machines => {
    const { cluster, file } = machines
    const node = nodeNamed(cluster, o.node)
    const at = node.disks.findIndex(({ id }) => id === o.from)
    if (at < 0 || node.disks.some(({ id }) => id === o.to))
      throw new Failure(
        at < 0 ? `cluster.yaml names no disk ${o.from} of ${o.node}.` : `cluster.yaml names ${o.to} already.`,
        { exit: EXIT.usage, next: `See the disks: llmagentos node disk list ${o.node}` },
      )
    const { edit, replaceDisk } = await import('../../provision/index.ts')
    const progress = await progressOf({ json, io })
    const applied = await replaceDisk({
      ...(await wantedOf(machines, { flags: {}, io })),
      ...o,
      fewerCopies: flags.fewerCopies ?? false,
      lockWaitMs: 0,
      onEvent: event => progress.tell(event),
    }).finally(() => progress.stop())
    afterVerb(applied, {
      what: `${o.from} was not given up.`,
      next: 'Run the same command again: it goes on from there. With --fewer-copies it does not wait for copies elsewhere.',
    })
    const path = ['nodes', cluster.nodes.indexOf(node), 'disks', at, 'id']
    edit(file, [{ path, value: o.to }], io.env)
    if (json) io.print(JSON.stringify({ event: 'done', replaced: `${o.node}/${o.from}`, by: o.to }))
    else {
      io.print(`${o.to} stands in ${file} in the place of ${o.from}, which nothing uses any more.`)
      io.print('  next     llmagentos cluster up: makes the OSD of the new disk, under the same id')
    }
    return EXIT.ok
  })
}
