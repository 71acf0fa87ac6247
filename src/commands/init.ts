import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT, Failure } from '../errors.ts'
import type { Found } from '../provision/index.ts'
import type { Command, Io } from './command.ts'
import { hostKeyFlag } from './machines/flags.ts'

interface Flags {
  file: string
  name: string
  force?: boolean
  offline?: boolean
  identityFile?: string
  acceptNewHostKeys?: boolean
}

export const init: Command<Flags> = {
  name: 'init',
  summary: 'look at machines, and write a cluster.yaml for them',
  arguments: [{ name: 'machine', says: '[user@]address[:port], one for each machine', many: true }],
  options: [
    { flag: '-o, --file <file>', says: 'where to write it; `-` prints it', default: 'cluster.yaml' },
    { flag: '--name <name>', says: "the cluster's name", default: 'main' },
    { flag: '--force', says: 'replace a file that exists' },
    { flag: '-i, --identity-file <file>', says: 'the private key to log in with, also in the file' },
    { flag: '--offline', says: 'connect to nobody: write it from the addresses alone' },
    hostKeyFlag,
  ],
  example: 'llmagentos init ops@10.0.0.11 ops@10.0.0.12 ops@10.0.0.13',
  more: [
    'Each machine tells its host name, memory, graphics processors and blank disks; nothing is changed there, and no root is needed.',
    'Roles: one machine is control and worker; of two the first is control, the second worker; three are control, storage',
    'and worker each; of more the first three are control and storage, the rest workers. The file says what each field does.',
  ].join('\n'),
  async run({ args, flags, json, io }) {
    const { initialFile, writeWhole } = await import('../provision/index.ts')
    const toScreen = flags.file === '-'
    const file = resolve(io.cwd, flags.file)
    if (toScreen && json) throw new Failure('-o - prints the file itself, not JSON.', { exit: EXIT.usage })
    if (!toScreen && !flags.force && existsSync(file)) throw isThere(flags.file)
    const identityFile = flags.identityFile && resolve(io.cwd, flags.identityFile)
    const input = { name: flags.name, targets: args, user: io.env['USER'], identityFile }
    // Says what is wrong with the addresses before anybody connects.
    const alone = initialFile(input)
    const text = flags.offline
      ? alone
      : initialFile({ ...input, found: await lookAt(args, { ...flags, identityFile, io }) })
    if (toScreen) return void io.stdout.write(text)
    writeWhole(file, text, { replace: flags.force === true })
    if (json) return io.print(JSON.stringify({ file, nodes: args.length }))
    io.print(`${flags.file} is written, with ${args.length} ${args.length === 1 ? 'node' : 'nodes'}.`)
    io.print('  next     look through it: each field says what it does, and # stands before what is not set;')
    io.print('           write `recovery:`, then: llmagentos cluster check, llmagentos cluster up')
  },
}

const isThere = (file: string) =>
  new Failure(`${file} exists already.`, {
    exit: EXIT.usage,
    next: 'Name another with -o, or replace it with --force.',
  })

/** Asks all machines at once. Throws Failure for host keys that nobody vouches for, and one for all machines that do not tell (4). */
async function lookAt(
  machines: string[],
  o: { name: string; identityFile?: string; acceptNewHostKeys?: boolean; io: Io },
): Promise<Found[]> {
  const { io, name, identityFile, acceptNewHostKeys } = o
  const [{ withConnections }, { enrolNew, unknownKeys }, { findOut, startOf }] = await Promise.all([
    import('./machines/machines.ts'),
    import('./machines/enrol.ts'),
    import('../provision/index.ts'),
  ])
  const targets = machines.map(text => {
    const { address, port, user } = startOf(text, io.env['USER'])
    return { node: text, host: address, port, user, identityFile }
  })
  return withConnections({ cluster: name, sudo: 'passwordless', io }, async connections => {
    const { failures, unknown } = await enrolNew({
      connections,
      targets,
      accept: acceptNewHostKeys === true,
      io,
    })
    if (unknown.length > 0) throw unknownKeys(unknown)
    const outcomes = await Promise.all(
      targets.map(async target => {
        const failure = failures.get(target.node)
        if (failure) return failure
        try {
          return await findOut(await connections.to(target), io.signal)
        } catch (thrown) {
          if (!(thrown instanceof Failure) || thrown.exit === EXIT.interrupted) throw thrown
          return thrown
        }
      }),
    )
    const wrong = outcomes.filter(outcome => outcome instanceof Failure)
    if (wrong.length > 0) throw silent(wrong, { count: targets.length, identityFile })
    return outcomes.filter((outcome): outcome is Found => !(outcome instanceof Failure))
  })
}

function silent(
  wrong: Failure[],
  { count, identityFile }: { count: number; identityFile?: string },
): Failure {
  if (wrong.length === 1 && count === 1) return wrong[0]!
  const key = identityFile === undefined ? ' (-i FILE names a private key)' : ''
  return new Failure(`${wrong.length} of ${count} machines could not be looked at. Nothing was written.`, {
    exit: wrong[0]!.exit,
    why: wrong.map(({ message, why }) => (why ? `${message} ${why}` : message)).join('\n'),
    next: `Mend that${key}, leave them out, or write the file from the addresses alone: --offline.`,
  })
}
