import type { SubmitTask, Task } from '../../contracts/tasks.ts'
import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import type { Client } from '../../runtime/client/index.ts'
import type { Command, Io } from '../command.ts'
import { each, wholeNumber } from '../values.ts'
import { awaitEnd, exitFor } from './follow.ts'
import { readParams } from './params.ts'
import { resultText } from './result.ts'

interface Flags {
  kind?: string
  param?: string[]
  paramsFile?: string
  model?: string
  priority?: 'high' | 'normal' | 'low'
  expires?: number
  wait?: boolean
  dryRun?: boolean
  idempotencyKey?: string
}

export const submit: Command<Flags> = {
  name: 'submit',
  summary: 'submit a task in plain words, or by kind and parameters',
  arguments: [{ name: 'text', says: 'what to do; `-` adds what is piped in', optional: true, many: true }],
  options: [
    { flag: '--kind <kind>', says: 'the kind of task, instead of the one that the words are taken for' },
    { flag: '--param <name=value>', says: 'a parameter; may be given several times', parse: each },
    { flag: '--params-file <file>', says: 'parameters from a file with one JSON object' },
    { flag: '--model <name>', says: 'the model that works on it' },
    { flag: '--priority <priority>', says: 'order among your own tasks', choices: ['high', 'normal', 'low'] },
    {
      flag: '--expires <seconds>',
      says: 'give it up when it has not ended by then',
      parse: wholeNumber({ from: 1, to: 30 * 86_400 }),
    },
    { flag: '--wait', says: 'wait for its end and print the result' },
    { flag: '--dry-run', says: 'only say what would be done' },
    {
      flag: '--idempotency-key <key>',
      says: 'a repeat with this key gives the same task instead of a second one',
    },
  ],
  example: 'llmagentos task submit "summarize the object notes.md" --wait',
  more: `Exit codes with --wait: 0 done, 6 failed or dead, 8 expired, 130 cancelled.`,
  async run({ args, flags, json, io }) {
    const body = await bodyOf(args, flags, io)
    const { openClient } = await import('../../runtime/index.ts')
    const { submitTask } = await import('../../contracts/tasks.ts')
    const client = await openClient(io)
    try {
      const headers: Record<string, string> =
        flags.idempotencyKey === undefined ? {} : { 'idempotency-key': flags.idempotencyKey }
      const { task, understood } = await client.call(submitTask, { body, headers })
      if (!json) io.say(`${understood.says} (kind ${understood.kind}, by ${understood.by})`)
      if (task && flags.wait) return await finish(task, { client, json, io })
      if (json) io.print(JSON.stringify({ ...(task && { task }), understood }))
      else if (task) {
        io.print(task.id)
        io.say(`Follow it: llmagentos task watch ${task.id}`)
      }
    } finally {
      await client.close()
    }
    return EXIT.ok
  },
}

async function bodyOf(args: string[], flags: Flags, io: Io): Promise<SubmitTask> {
  const words = args.filter(a => a !== '-').join(' ')
  const { readText } = await import('../stdin.ts')
  const piped = args.includes('-') ? await readText(io) : undefined
  const text = [words, piped].filter(t => t?.trim()).join('\n\n')
  const params = readParams({ pairs: flags.param, file: flags.paramsFile, cwd: io.cwd })
  if (!text && !flags.kind)
    throw new Failure('There is nothing to do: neither words nor a kind were given.', {
      exit: EXIT.usage,
      next: 'llmagentos task submit "how do I add a node?" --wait',
    })
  return {
    ...(text && { text }),
    ...(flags.kind && { kind: flags.kind }),
    ...(params && { params }),
    ...(flags.model && { model: flags.model }),
    ...(flags.priority && { priority: flags.priority }),
    ...(flags.expires && { expiresInSeconds: flags.expires }),
    ...(flags.dryRun && { dryRun: true }),
  }
}

async function finish(task: Task, o: { client: Client; json: boolean; io: Io }): Promise<ExitCode> {
  if (!o.json) o.io.say(`Task ${task.id}`)
  const ended = await awaitEnd(o.client, task.id, o)
  const { showTask } = await import('../../contracts/tasks.ts')
  const detail = await o.client.call(showTask, { params: { id: task.id } })
  if (o.json) o.io.print(JSON.stringify(detail))
  else {
    const text = resultText(detail.result)
    if (text !== undefined) o.io.print(text)
  }
  return exitFor(ended)
}
