import { EXIT, Failure } from '../../errors.ts'
import type { Command } from '../command.ts'
import { pullTo } from './pull.ts'

export const scale: Command = {
  name: 'scale',
  summary: 'bring a model to more workers, or remove it from some',
  arguments: [{ name: 'model=number', says: 'a name from `model list`, and how many workers shall have it' }],
  example: 'llmagentos model scale llama3.2=3',
  more: 'It leaves last where it is in memory. To remove it everywhere: llmagentos model rm.',
  async run({ args, json, io }) {
    const { name, count } = wanted(args[0]!)
    const { openClient } = await import('../../runtime/index.ts')
    const { listModels, removeModel } = await import('../../contracts/models.ts')
    const client = await openClient(io)
    try {
      const { models } = await client.call(listModels)
      const found = models.find(m => m.name === name || m.name === `${name}:latest`)
      const has = found?.workers ?? []
      if (has.length < count) {
        const workers = await pullTo(name, { io, json, workers: count })
        if (!json) io.print(`${name} is on ${workers.join(', ')}.`)
      } else {
        const gone =
          has.length === count
            ? []
            : (await client.call(removeModel, { params: { '*': name }, query: { keep: count } })).workers
        const left = has.filter(worker => !gone.includes(worker))
        if (json) io.print(JSON.stringify({ event: 'scaled', model: name, workers: left, removed: gone }))
        else
          io.print(
            `${name} is on ${left.join(', ')}${gone.length > 0 ? `, no more on ${gone.join(', ')}` : ''}.`,
          )
      }
    } finally {
      await client.close()
    }
  },
}

function wanted(text: string): { name: string; count: number } {
  const [, name, count] = /^(.+)=(\d{1,4})$/.exec(text) ?? []
  if (name && Number(count) > 0) return { name, count: Number(count) }
  throw new Failure(`${text} says no model and number of workers.`, {
    exit: EXIT.usage,
    next: 'For example: llmagentos model scale llama3.2=3',
  })
}
