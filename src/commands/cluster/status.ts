import type { ClusterStatus } from '../../contracts/status.ts'
import { EXIT, Failure } from '../../errors.ts'
import type { Call, Command } from '../command.ts'
import { clusterFile, type MachineFlags, machineFlags } from '../machines/index.ts'
import { statusMachines } from './status-machines.ts'

export const status: Command<MachineFlags> = {
  name: 'status',
  summary: 'say how the cluster is',
  options: machineFlags,
  example: 'llmagentos cluster status',
  more: [
    'Without a cluster.yaml it asks the gateway of the current cluster.',
    'With one it looks at the machines and changes nothing: which answer, how each component is, who holds the lock, what was applied last, and whether the file says something else.',
    'Exit codes: 0 healthy, 6 not healthy, 4 a machine was not reached.',
  ].join('\n'),
  async run(call) {
    return clusterFile(call.flags, call.io) === undefined ? ofGateway(call) : statusMachines(call)
  },
}

async function ofGateway({ json, io }: Call<MachineFlags>) {
  const { openClient } = await import('../../runtime/index.ts')
  const { clusterStatus } = await import('../../contracts/status.ts')
  const client = await openClient(io)
  const found = await client.call(clusterStatus).finally(() => client.close())
  if (json) io.print(JSON.stringify(found))
  else for (const line of picture(found)) io.print(line)
  if (found.healthy) return EXIT.ok
  const down = found.services.filter(s => !s.ready).map(s => s.name)
  throw new Failure(`Not ready: ${down.join(', ')}.`, {
    exit: EXIT.unhealthy,
    next: 'The notes above say why.',
  })
}

function picture(s: ClusterStatus): string[] {
  const head = `${s.name}: ${s.healthy ? 'healthy' : 'not healthy'}, up ${duration(s.upSeconds)}, version ${s.version}`
  return [
    head,
    `  engine   ${s.engine}, model ${s.model}`,
    `  store    ${s.store}`,
    `  auth     a revoked key is refused within ${s.auth.maxStaleMs} ms`,
    ...s.services.flatMap(one => [
      `  ${one.ready ? 'ready' : 'DOWN '}    ${one.name}`,
      ...one.notes.map(n => `             ${n}`),
    ]),
  ]
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`
}
