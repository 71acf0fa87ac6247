import type { PullFrame } from '../../contracts/models.ts'
import { EXIT, Failure } from '../../errors.ts'
import type { Command, Io } from '../command.ts'

export const pull: Command = {
  name: 'pull',
  summary: 'download a model to the workers',
  arguments: [{ name: 'model', says: "a name of Ollama's library, as llama3.2 or qwen3:8b" }],
  example: 'llmagentos model pull llama3.2',
  async run({ args, json, io }) {
    await pullTo(args[0]!, { io, json })
    if (!json) io.print(`${args[0]} is there.`)
  },
}

/** Pulls with a progress bar on a terminal, heartbeat lines elsewhere, and one JSON event a line with `json`. */
export async function pullTo(
  name: string,
  o: { io: Io; json: boolean; onlyIfMissing?: boolean },
): Promise<void> {
  const { openClient } = await import('../../runtime/index.ts')
  const { listModels, pullModel } = await import('../../contracts/models.ts')
  const client = await openClient(o.io)
  try {
    if (o.onlyIfMissing) {
      const { models } = await client.call(listModels)
      if (models.some(m => m.name === name || m.name === `${name}:latest`)) return
    }
    await follow(client.lines<PullFrame>(pullModel, { body: { name } }), name, o)
  } finally {
    await client.close()
  }
}

async function follow(
  frames: AsyncIterable<PullFrame>,
  name: string,
  { io, json }: { io: Io; json: boolean },
): Promise<void> {
  const { progressBar } = await import('../views/progress.ts')
  const bar = progressBar(`Pulling ${name}`, io)
  try {
    for await (const frame of frames) {
      if (json) io.print(JSON.stringify({ event: 'pull', ...frame }))
      if (frame.type === 'error')
        throw new Failure(frame.error.message, { exit: EXIT.unhealthy, next: frame.error.next })
      if (frame.type === 'done') return
      if (frame.type === 'progress' && !json)
        bar.update({ done: frame.completedBytes, total: frame.totalBytes, says: frame.status, unit: 'bytes' })
    }
    throw new Failure(`The pull of ${name} was cut.`, {
      exit: EXIT.unhealthy,
      next: 'Run it again; what is there already is not loaded twice.',
    })
  } finally {
    bar.stop()
  }
}
