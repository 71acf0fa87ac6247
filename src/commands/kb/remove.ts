import { EXIT, Failure } from '../../errors.ts'
import type { Command } from '../command.ts'

interface Flags {
  confirm?: string
}

export const remove: Command<Flags> = {
  name: 'remove',
  summary: 'remove a document, or a whole knowledge base',
  arguments: [
    { name: 'kb', says: 'its name' },
    {
      name: 'document',
      says: 'a document as `kb list KB` shows it; without one the whole goes',
      optional: true,
    },
  ],
  options: [{ flag: '--confirm <kb>', says: 'the name again: agrees to remove a whole knowledge base' }],
  example: 'llmagentos kb remove notes handbook/old.md',
  async run({ args, flags, json, io }) {
    const [kb, document] = args as [string, string | undefined]
    if (document === undefined) agree(kb, flags.confirm)
    const { openClient } = await import('../../runtime/index.ts')
    const { removeDocument, removeKb } = await import('../../contracts/kb.ts')
    const client = await openClient(io)
    try {
      if (document === undefined) {
        const gone = await client.call(removeKb, { params: { kb } })
        return io.print(json ? JSON.stringify(gone) : `Removed ${kb} with ${gone.documents} documents.`)
      }
      const gone = await client.call(removeDocument, { params: { kb, '*': document } })
      io.print(json ? JSON.stringify(gone) : `Removed ${gone.removed} from ${kb}.`)
    } finally {
      await client.close()
    }
  },
}

function agree(kb: string, confirmed: string | undefined): void {
  if (confirmed === kb) return
  throw new Failure(
    confirmed === undefined
      ? `This removes the knowledge base ${kb} with all its documents.`
      : `--confirm ${confirmed} is not the name of the knowledge base.`,
    { exit: EXIT.unsafe, next: `llmagentos kb remove ${kb} --confirm ${kb}` },
  )
}
