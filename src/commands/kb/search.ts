import type { Passage } from '../../contracts/ask.ts'
import type { Command } from '../command.ts'
import { each, wholeNumber } from '../values.ts'

interface Flags {
  kb?: string[]
  limit: number
}

const MOST_LINES = 4

export const search: Command<Flags> = {
  name: 'search',
  summary: 'find passages, each with its source',
  arguments: [{ name: 'query', says: 'words or a question' }],
  options: [
    {
      flag: '--kb <name>',
      says: 'search in this knowledge base, several times for several; all that you may read if left out',
      parse: each,
    },
    {
      flag: '--limit <number>',
      says: 'how many passages, 1 to 50',
      default: 5,
      parse: wholeNumber({ from: 1, to: 50 }),
    },
  ],
  example: 'llmagentos kb search "how do I add a node?"',
  async run({ args, flags, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { searchKb } = await import('../../contracts/kb.ts')
    const client = await openClient(io)
    const body = { query: args[0]!, limit: flags.limit, ...(flags.kb && { kb: flags.kb }) }
    const found = await client.call(searchKb, { body }).finally(() => client.close())
    if (json) return io.print(JSON.stringify(found))
    for (const note of found.notes) io.say(`note: ${note}`)
    if (found.passages.length === 0) return io.say('Nothing was found.')
    io.print(found.passages.map(shown).join('\n\n'))
  },
}

function shown(passage: Passage, i: number): string {
  const { line, page, heading } = passage.position
  const where = line ? `:${line}` : page ? `, page ${page}` : ''
  const lines = passage.text.split('\n').filter(l => l.trim())
  const text = lines.slice(0, MOST_LINES).map(l => `    ${l}`)
  if (lines.length > MOST_LINES) text.push('    ...')
  return [`${i + 1}. ${passage.kb}/${passage.document}${where}  ${heading ?? passage.title}`, ...text].join(
    '\n',
  )
}
