import { rmSync } from 'node:fs'
import { EXIT, type ExitCode } from '../../errors.ts'
import type { Cluster, Down } from '../../provision/index.ts'
import type { Call, Io } from '../command.ts'
import { type MachineFlags, withMachines } from '../machines/index.ts'
import { downJson, downText, keptLines } from '../views/down.ts'
import { planText } from '../views/plan.ts'
import { progressOf } from '../views/up-progress.ts'
import { agreeByName, saysName } from './confirm.ts'
import { baseFile, type FileFlags, wantedOf } from './machines.ts'

export interface DownFlags extends MachineFlags, Pick<FileFlags, 'forget'> {
  purgeData?: boolean
  confirm?: string
  lockWait?: number
}

/** `cluster down` with a cluster.yaml. */
export function downMachines({ flags, json, io }: Call<DownFlags>): Promise<ExitCode> {
  return withMachines({ flags, io }, async machines => {
    const { cluster } = machines
    const purge = flags.purgeData === true
    const asked = {
      name: cluster.name,
      confirmed: flags.confirm,
      again: `llmagentos cluster down${purge ? ' --purge-data' : ''} --confirm ${cluster.name}`,
      what: purge
        ? 'This removes the cluster and destroys everything that it stored.'
        : 'This removes the cluster.',
    }
    saysName(asked)
    const { down } = await import('../../provision/index.ts')
    const began = performance.now()
    const progress = await progressOf({ json, io })
    const done = await down({
      ...(await wantedOf(machines, { flags: { forget: flags.forget }, io })),
      purge,
      lockWaitMs: flags.lockWait ?? 0,
      onEvent: event => progress.tell(event),
      async agree(plans, kept) {
        if (!json)
          for (const line of [...planText(plans, { cluster: cluster.name }), ...keptLines(kept)]) io.say(line)
        await agreeByName(asked, { json, io })
      },
    }).finally(() => progress.stop())
    const exit = exitOf(done)
    if (exit === EXIT.ok && done.changed > 0 && done.kept.length === 0) await forget(cluster, io)
    const seconds = Math.round((performance.now() - began) / 100) / 10
    if (json) io.print(JSON.stringify({ event: 'done', ...downJson(done), purged: purge, seconds, exit }))
    else for (const line of downText(done, { name: cluster.name, purge, seconds })) io.print(line)
    return exit
  })
}

/** The next cluster of this name has other keys, and begins with number 1 again. */
async function forget(cluster: Cluster, io: Io): Promise<void> {
  rmSync(baseFile(cluster, io.env), { force: true })
  const { Clusters } = await import('../../runtime/index.ts')
  const clusters = new Clusters(io.env)
  if (clusters.get(cluster.name)) clusters.forget(cluster.name)
}

const exitOf = ({ failed, remains }: Down): ExitCode =>
  failed.length + remains.length > 0 ? EXIT.partial : EXIT.ok
