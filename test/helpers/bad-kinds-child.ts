import { existsSync } from 'node:fs'
import Type from 'typebox'
import type { Kind } from '../../src/runtime/kinds/kind.ts'
import { TaskFailure } from '../../src/runtime/kinds/kind.ts'
import { serveChild } from '../../src/runtime/services/executor/child-main.ts'

/** A child program like ours, with kinds that do what tasks must never be able to harm us with. */
const kind = (name: string, run: Kind['run']): Kind => ({
  name,
  summary: name,
  params: Type.Object({}, { additionalProperties: true }),
  class: 'cpu',
  examples: [],
  run,
})

const forever = (signal: AbortSignal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

const kinds: Kind[] = [
  kind('echo', async (params, tools) => {
    tools.progress('at it')
    return {
      params,
      id: tools.id,
      attempt: tools.attempt,
      env: Object.keys(process.env),
      argv: process.argv.slice(2),
    }
  }),
  kind('pid', async () => ({ pid: process.pid })),
  kind('large', async () => 'x'.repeat(2 * 1024 * 1024)),
  kind('exit', async () => process.exit(3)),
  kind('throw', async () => {
    throw new Error('a fault of the kind')
  }),
  kind('refuse', async () => {
    throw new TaskFailure('It cannot be done.', { next: 'Do without.' })
  }),
  kind('memory', async () => {
    const held: string[][] = []
    for (;;) held.push(Array.from({ length: 100_000 }, (_, i) => `${i} ${Math.random()}`))
  }),
  kind('polite', async (_, tools) => {
    tools.progress(`pid ${process.pid}`)
    return forever(tools.signal)
  }),
  kind('until', async params => {
    while (!existsSync((params as { file: string }).file)) await new Promise(go => setTimeout(go, 20))
  }),
  kind('deaf', async (_, tools) => {
    tools.progress(`pid ${process.pid}`)
    return new Promise(() => {})
  }),
  kind('busy', async (_, tools) => {
    tools.progress(`pid ${process.pid}`)
    await new Promise(resolve => setTimeout(resolve, 50))
    for (;;);
  }),
]

serveChild({ loadKind: async name => kinds.find(k => k.name === name), exit: () => process.exit(0) })
