import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { EXIT, type ExitCode, Failure, reasonOf } from '../../errors.ts'
import type { Cluster } from '../../provision/index.ts'
import type { Command, Io } from '../command.ts'
import { nodeNamed } from '../machines/choose.ts'
import { fileFlag, hostKeyFlag, type MachineFlags } from '../machines/flags.ts'
import { withMachines } from '../machines/machines.ts'

export const ssh: Command<MachineFlags> = {
  name: 'ssh',
  summary: 'log in to a node, or run one command there with input and terminal',
  arguments: [
    { name: 'node', says: 'a name of cluster.yaml' },
    { name: 'command', says: 'the command and its arguments, behind --', many: true, optional: true },
  ],
  options: [fileFlag, hostKeyFlag],
  example: 'llmagentos node ssh ctl1 -- journalctl -e',
  more: [
    "The system's ssh does it, with user, port, key and bastion of cluster.yaml and with the host keys of this cluster, checked strictly;",
    'what cluster.yaml leaves open is as ~/.ssh/config says. Passphrases it asks for itself.',
    'Exit codes: 0, 4 when ssh does not get there, 5 when the command exits with another code, which is then said.',
  ].join('\n'),
  async run({ args, flags, json, io }) {
    const [name, ...command] = args
    if (json)
      throw new Failure('node ssh hands your terminal over; it prints no JSON.', {
        exit: EXIT.usage,
        next: `llmagentos node exec --on ${name} --json -- COMMAND`,
      })
    const choose = (cluster: Cluster) => [nodeNamed(cluster, name!)]
    return withMachines({ flags, io, choose }, async ({ nodes, connections, on, target }) => {
      const node = nodes[0]!
      // Throws when its host key could not be made sure of.
      await on(node)
      const code = await handOver(
        await connections.forPerson(target(node), {
          command,
          terminal: io.stdin.isTTY === true && io.stdout.isTTY === true,
        }),
        io,
      )
      return exitOf(code, { node: node.name, command, io })
    })
  },
}

/** Runs a program with our own terminal or pipes; returns its exit code, 128 + n for a signal. Ctrl-C is for it. */
async function handOver([program, ...args]: [string, ...string[]], io: Io): Promise<number> {
  // Streams that are not the process's own have no descriptor that could be inherited.
  const ours = io.stdin === process.stdin
  const child = spawn(program, args, { stdio: ours ? 'inherit' : 'pipe', env: io.env })
  const end = () => child.kill('SIGTERM')
  io.signal.addEventListener('abort', end, { once: true })
  if (child.stdin) io.stdin.on('error', () => {}).pipe(child.stdin.on('error', () => {}))
  child.stdout?.pipe(io.stdout, { end: false })
  child.stderr?.pipe(io.stderr, { end: false })
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return code ?? EXIT.interrupted
  } catch (thrown) {
    throw new Failure('ssh could not be run on this machine.', {
      exit: EXIT.ours,
      why: reasonOf(thrown),
      next: 'Install it here (on Debian: apt install openssh-client).',
    })
  } finally {
    io.signal.removeEventListener('abort', end)
  }
}

/** A shell ends with the code of its last command, which is no failure of the login. */
function exitOf(code: number, o: { node: string; command: string[]; io: Io }): ExitCode {
  if (o.io.signal.aborted) return EXIT.interrupted
  if (code === 255)
    throw new Failure(`ssh did not get to ${o.node}, or lost it.`, {
      exit: EXIT.unreachable,
      next: 'What it said stands above. A command that itself exits with 255 looks the same.',
    })
  if (code === 0 || o.command.length === 0) return EXIT.ok
  o.io.say(`${o.node}: exited with ${code}`)
  return EXIT.partial
}
