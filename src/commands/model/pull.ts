import type { PullFrame } from '../../contracts/models.ts'
import { EXIT, Failure } from '../../errors.ts'
import type { Client } from '../../runtime/client/index.ts'
import type { Command, Io } from '../command.ts'
import { each, wholeNumber } from '../values.ts'
import { labelsOf } from './labels.ts'

interface Flags {
  workers?: number
  on?: string[]
}

export const pull: Command<Flags> = {
  name: 'pull',
  summary: 'bring a model to the workers: downloaded once, then from one to the next',
  arguments: [{ name: 'model', says: "a name of Ollama's library, as llama3.2 or qwen3:8b" }],
  options: [
    {
      flag: '--workers <number>',
      says: 'how many workers have it in the end; default: all that can',
      parse: wholeNumber({ from: 1, to: 1000 }),
    },
    {
      flag: '--on <label=value>',
      says: 'only workers with this label; may be given several times',
      parse: each,
    },
  ],
  example: 'llmagentos model pull llama3.2',
  more: 'What is there already does not come twice, so after a cut run it again.',
  async run({ args, flags, json, io }) {
    const [name] = args as [string]
    const on = labelsOf(flags.on)
    const workers = await pullTo(name, { io, json, workers: flags.workers, on })
    if (!json) io.print(`${name} is there${workers.length > 0 ? `: on ${workers.join(', ')}` : ''}.`)
  },
}

interface Wanted {
  workers?: number
  on?: Record<string, string>
  among?: string[]
}

/** Pulls to the current cluster. Gives the workers that have it then; none where nothing was to do. */
export async function pullTo(
  name: string,
  { io, json, onlyIfMissing, ...wanted }: { io: Io; json: boolean; onlyIfMissing?: boolean } & Wanted,
): Promise<string[]> {
  const { openClient } = await import('../../runtime/index.ts')
  const { listModels } = await import('../../contracts/models.ts')
  const client = await openClient(io)
  try {
    if (onlyIfMissing) {
      const { models } = await client.call(listModels)
      if (models.some(m => m.name === name || m.name === `${name}:latest`)) return []
    }
    return await pullBy(client, name, { io, json, ...wanted })
  } finally {
    await client.close()
  }
}

/** With a progress bar on a terminal, heartbeat lines elsewhere, and one JSON event a line with `json`. */
export async function pullBy(
  client: Pick<Client, 'lines'>,
  name: string,
  { io, json, ...wanted }: { io: Io; json: boolean } & Wanted,
): Promise<string[]> {
  const { pullModel } = await import('../../contracts/models.ts')
  const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
  return follow(client.lines<PullFrame>(pullModel, { body: { name, ...given } }), name, { io, json })
}

async function follow(
  frames: AsyncIterable<PullFrame>,
  name: string,
  { io, json }: { io: Io; json: boolean },
): Promise<string[]> {
  const { progressBar } = await import('../views/progress.ts')
  const bar = progressBar(`Pulling ${name}`, io)
  const sum = new Sum()
  try {
    for await (const frame of frames) {
      if (json) io.print(JSON.stringify({ event: 'pull', ...frame }))
      if (frame.type === 'error')
        throw new Failure(frame.error.message, {
          exit: EXIT.unhealthy,
          next: frame.error.next,
          cause: frame.error,
        })
      if (frame.type === 'done') return frame.workers ?? []
      if (json) continue
      if (frame.type === 'progress') bar.update({ ...sum.with(frame), unit: 'bytes' })
      if (frame.type === 'placed')
        io.say(`${frame.worker} has ${name}${frame.from ? `, from ${frame.from}` : ''}.`)
    }
    throw new Failure(`The pull of ${name} was cut.`, {
      exit: EXIT.unhealthy,
      next: 'Run it again; what is there already is not loaded twice.',
    })
  } finally {
    bar.stop()
  }
}

/** How far all workers are together; each tells of one layer at a time. */
class Sum {
  readonly #layers = new Map<string, { done: number; total: number }>()

  with({ worker = '', status, completedBytes, totalBytes }: PullFrame & { type: 'progress' }) {
    if (totalBytes) this.#layers.set(`${worker} ${status}`, { done: completedBytes ?? 0, total: totalBytes })
    const all = [...this.#layers.values()]
    return {
      done: all.reduce((sum, { done }) => sum + done, 0),
      total: all.reduce((sum, { total }) => sum + total, 0),
      says: worker ? `${worker}: ${status}` : status,
    }
  }
}
