import { EXIT } from '../../errors.ts'
import type { Ended } from '../../provision/index.ts'
import type { Call, Command } from '../command.ts'
import { type MachineFlags, machineFlags } from '../machines/flags.ts'
import { type Outcome, withMachines } from '../machines/machines.ts'
import { exitOf, sayFailure } from './outcomes.ts'
import { timeSpan } from './time.ts'

interface Flags extends MachineFlags {
  root?: boolean
  deadline: number
}

const DEADLINE_MS = 600_000
// The output is handed on line by line, so little of it is kept.
const KEEP_BYTES = 1024

export const exec: Command<Flags> = {
  name: 'exec',
  summary: 'run a command on nodes, on all of them at once',
  arguments: [{ name: 'command', says: 'the command and its arguments, behind --', many: true }],
  options: [
    ...machineFlags,
    { flag: '--root', says: 'as root, by sudo where the user is another one' },
    {
      flag: '--deadline <span>',
      says: 'it is ended there when it takes longer; 10m unless given',
      default: DEADLINE_MS,
      parse: timeSpan,
    },
  ],
  example: 'llmagentos node exec --on worker -- df -h /var/lib',
  more: [
    'Each line of output begins with its node. The command gets no input, and no shell reads it: for pipes and wildcards run',
    "-- sh -c 'ls /etc/*.conf | wc -l'. With --json each line, end and failure is a line of JSON. Ctrl-C ends it on all nodes.",
    'Exit codes: 0 when it exited with 0 on every node, 4 a node was not reached, 3 sudo refuses, 8 it took too long, 5 it failed.',
  ].join('\n'),
  async run(call) {
    const { args, flags, io } = call
    return withMachines({ flags, io }, async ({ nodes, each }) => {
      const width = Math.max(...nodes.map(node => node.name.length))
      const outcomes = await each(async (on, { name }) => {
        const onLine = (text: string, from: 'stdout' | 'stderr') => lineOf(call, { name, width, text, from })
        const { root, deadline: deadlineMs } = flags
        return on.exec(args, { root, deadlineMs, signal: io.signal, keepBytes: KEEP_BYTES, onLine })
      })
      for (const outcome of outcomes) endOf(call, outcome)
      const failed = outcomes.some(outcome => !outcome.failure && outcome.value.code !== 0)
      return exitOf(outcomes) || (failed ? EXIT.partial : EXIT.ok)
    })
  },
}

function lineOf(
  { json, io }: Call<Flags>,
  o: { name: string; width: number; text: string; from: 'stdout' | 'stderr' },
): void {
  const { name: node, width, text, from } = o
  const line = json ? JSON.stringify({ event: 'line', node, from, text }) : `${node.padEnd(width)} | ${text}`
  if (json || from === 'stdout') io.print(line)
  else io.say(line)
}

function endOf(call: Call<Flags>, outcome: Outcome<Ended>): void {
  const { name: node } = outcome.node
  if (outcome.failure) {
    sayFailure(node, outcome.failure, call)
    return
  }
  const { code, signal } = outcome.value
  if (call.json) call.io.print(JSON.stringify({ event: 'ended', node, code, signal }))
  else if (code !== 0) call.io.say(`${node}: ${signal ? `ended by ${signal}` : `exited with ${code}`}`)
}
