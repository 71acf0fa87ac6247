import { EXIT, type ExitCode } from '../../errors.ts'
import type { Call } from '../command.ts'
import { type MachineFlags, withMachines } from '../machines/index.ts'
import { type Shown, statusJson, statusText } from '../views/status.ts'
import { wantedOf } from './machines.ts'

/** `cluster status` with a cluster.yaml. */
export function statusMachines({ flags, json, io }: Call<MachineFlags>): Promise<ExitCode> {
  return withMachines({ flags, io, goOnWithoutUnknown: true }, async machines => {
    const { status } = await import('../../provision/index.ts')
    const wanted = await wantedOf(machines, { flags: {}, io })
    const shown: Shown = { ...(await status(wanted)), cluster: machines.cluster, asked: machines.nodes }
    if (json) io.print(JSON.stringify(statusJson(shown)))
    else for (const line of statusText(shown)) io.print(line)
    if (shown.silent.length > 0) return EXIT.unreachable
    const bad = shown.components.some(({ findings }) => findings.some(({ level }) => level === 'bad'))
    return bad ? EXIT.unhealthy : EXIT.ok
  })
}
