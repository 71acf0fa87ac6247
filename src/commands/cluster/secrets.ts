import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import type { ListedSecret } from '../../provision/index.ts'
import type { Call, Command } from '../command.ts'
import { fileFlag, hostKeyFlag, type MachineFlags, withMachines } from '../machines/index.ts'
import { timeSpan } from '../node/time.ts'
import { progressOf } from '../views/up-progress.ts'
import { wantedOf } from './machines.ts'
import { restored } from './restore.ts'

interface Flags extends MachineFlags {
  lockWait?: number
  identity?: string
}

export const secrets: Command<Flags> = {
  name: 'secrets',
  summary: 'list the secrets of a cluster, give one a new value, or restore them from a recovery file',
  arguments: [
    { name: 'what', says: '`list`, `rotate` or `restore`', choices: ['list', 'rotate', 'restore'] },
    { name: 'which', says: 'the secret to rotate, or the recovery file', optional: true },
  ],
  options: [
    fileFlag,
    hostKeyFlag,
    {
      flag: '--lock-wait <time>',
      says: 'how long to wait for somebody who is changing the cluster: 90s, 10m',
      parse: timeSpan,
    },
    {
      flag: '--identity <file>',
      says: 'with restore: the file of `age-keygen` that opens it; asked for on a terminal unless given',
    },
  ],
  example: 'llmagentos cluster secrets rotate rabbitmq-cookie',
  more: [
    'No command shows a value: values lie on the control nodes, for root alone, and in the recovery file.',
    'Restored are only secrets that no control node has any more; what is in use is never overwritten.',
    'A new value is copied to all control nodes before it is used; the next `cluster up` brings it to the services.',
  ].join('\n'),
  run(call) {
    const [what, name] = call.args
    if (what === 'list' && name === undefined) return list(call)
    if (what === 'rotate' && name !== undefined) return rotated(call, name)
    if (what === 'restore' && name !== undefined) return restored(call, name)
    const missing = what === 'rotate' ? 'Which secret?' : 'Which recovery file?'
    throw new Failure(what === 'list' ? '`list` takes no name.' : missing, {
      exit: EXIT.usage,
      next: 'llmagentos cluster secrets list, rotate NAME, or restore FILE --identity FILE',
    })
  },
}

function list({ flags, json, io }: Call<Flags>): Promise<ExitCode> {
  return withMachines({ flags, io }, async machines => {
    const { listSecrets } = await import('../../provision/index.ts')
    const wanted = await wantedOf(machines, { flags: {}, io })
    const { secrets: found, unreached } = await listSecrets(wanted)
    const silent = [...wanted.unreached.keys(), ...unreached.keys()].filter(node =>
      machines.nodes.some(({ name, roles }) => name === node && roles.includes('control')),
    )
    if (json) io.print(JSON.stringify({ secrets: found, silent }))
    else {
      const { table } = await import('../views/table.ts')
      if (found.length === 0) io.print(`${machines.cluster.name} has no secrets.`)
      else io.print(table(['secret', 'since', 'on', ''], found.map(row)))
    }
    for (const node of silent) if (!json) io.say(`${node} did not answer.`)
    return silent.length > 0 ? EXIT.unreachable : EXIT.ok
  })
}

const row = (one: ListedSecret) => [one.name, one.since ?? '', one.on.join(', '), remark(one)]

function remark({ on, lacking, rotating, wanted }: ListedSecret): string {
  if (on.length === 0) return 'made by the next `cluster up`'
  if (rotating) return 'a new value is not in use yet: the next `cluster up` goes on'
  if (lacking.length > 0) return `copied to ${lacking.join(', ')} by the next \`cluster up\``
  return wanted ? '' : 'nothing uses it'
}

function rotated({ flags, json, io }: Call<Flags>, name: string): Promise<ExitCode> {
  return withMachines({ flags, io }, async machines => {
    const { rotate } = await import('../../provision/index.ts')
    const progress = await progressOf({ json, io })
    const { failed } = await rotate({
      ...(await wantedOf(machines, { flags: {}, io })),
      name,
      lockWaitMs: flags.lockWait ?? 0,
      onEvent: event => progress.tell(event),
    }).finally(() => progress.stop())
    if (failed.length > 0)
      throw new Failure(`The new value of ${name} is not on all control nodes.`, {
        exit: EXIT.partial,
        why: failed.map(({ step, why, stderr }) => `${step.node}: ${step.says}: ${why} ${stderr}`).join('\n'),
        next: 'Mend that, then run the same command again: it goes on from there.',
      })
    if (json) io.print(JSON.stringify({ event: 'done', rotated: name }))
    else {
      io.print(`${name} has a new value.`)
      io.print('  next     llmagentos cluster up: services take it then')
    }
    return EXIT.ok
  })
}
