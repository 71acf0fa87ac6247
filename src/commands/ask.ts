import type { AskAnswer, AskRequest, Frame } from '../contracts/ask.ts'
import { EXIT, Failure } from '../errors.ts'
import { failureOf, sourceLine, stateText } from './answer.ts'
import type { Command, Io } from './command.ts'
import { each } from './values.ts'

interface Flags {
  kb?: string[]
  model?: string
  session?: string
}

export const askCommand: Command<Flags> = {
  name: 'ask',
  summary: 'ask a question and get an answer with its sources',
  arguments: [{ name: 'question', says: 'the question; `-` adds what is piped in', many: true }],
  options: [
    {
      flag: '--kb <name>',
      says: 'answer from this knowledge base only; may be given several times',
      parse: each,
    },
    { flag: '--model <name>', says: 'the model that answers' },
    { flag: '--session <id>', says: 'go on with a conversation, or begin one under that name' },
  ],
  example: 'llmagentos ask "how do I add a node?"\ncat notes.md | llmagentos ask "sum up" -',
  async run({ args, flags, json, io }) {
    const body = await request(args, flags, io)
    const { openClient } = await import('../runtime/index.ts')
    const { ask } = await import('../contracts/ask.ts')
    const client = await openClient(io)
    try {
      if (json) io.print(JSON.stringify(await client.call(ask, { body })))
      else await show(client.lines<Frame>(ask, { body: { ...body, stream: true } }), io)
    } finally {
      await client.close()
    }
  },
}

async function request(args: string[], flags: Flags, io: Io): Promise<AskRequest> {
  const piped = args.includes('-')
  const question = args.filter(a => a !== '-').join(' ')
  const { readText } = await import('./stdin.ts')
  const material = piped ? await readText(io) : undefined
  if (!question.trim() && !material?.trim())
    throw new Failure('The question is empty.', {
      exit: EXIT.usage,
      next: 'llmagentos ask "how do I add a node?"',
    })
  return {
    question: question.trim() || material!,
    ...(question.trim() && material !== undefined && { material }),
    kb: flags.kb,
    model: flags.model,
    session: flags.session,
  }
}

/** Text as it comes, then the sources; what happens before the first word is told on a terminal alone. */
async function show(frames: AsyncIterable<Frame>, io: Io): Promise<void> {
  const status = io.stderr.isTTY ? (text: string) => void io.stderr.write(`\r\u001b[K${text}`) : () => {}
  for await (const frame of frames) {
    if (frame.type === 'state') status(`${stateText(frame)} ...`)
    if (frame.type === 'text') {
      status('')
      io.stdout.write(frame.text)
    }
    if (frame.type === 'error') {
      throw failureOf(frame)
    }
    if (frame.type === 'done') return finish(frame.answer, io)
  }
  throw new Failure('The answer was cut.', {
    exit: EXIT.unhealthy,
    next: 'Try again; `llmagentos cluster status` says how the cluster is.',
  })
}

function finish(answer: AskAnswer, io: Io): void {
  io.print('')
  if (answer.sources.length > 0) io.print('\nSources:')
  for (const s of answer.sources) io.print(`  ${sourceLine(s)}`)
  for (const note of answer.notes ?? []) io.say(note)
  if (answer.stored === false) io.say('The turn could not be stored in its session.')
}
