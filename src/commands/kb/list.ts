import type { KbDocument, KbInfo } from '../../contracts/kb.ts'
import type { Client } from '../../runtime/client/index.ts'
import type { Command } from '../command.ts'

export const list: Command = {
  name: 'list',
  summary: 'list knowledge bases, or the documents of one',
  arguments: [{ name: 'kb', says: 'its name', optional: true }],
  example: 'llmagentos kb list notes',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { listKbs } = await import('../../contracts/kb.ts')
    const { table } = await import('../views/table.ts')
    const client = await openClient(io)
    try {
      const name = args[0]
      if (name === undefined) {
        const found = await client.call(listKbs)
        if (json) return io.print(JSON.stringify(found))
        return io.print(
          table(['KB', 'OWNER', 'SHARED', 'DOCUMENTS', 'CHUNKS', 'VECTORS'], found.kbs.map(kbRow)),
        )
      }
      const documents = await all(client, name)
      if (json) return io.print(JSON.stringify({ kb: name, documents }))
      if (documents.length === 0) return io.say(`The knowledge base ${name} holds no documents.`)
      io.print(table(['DOCUMENT', 'TYPE', 'BYTES', 'CHUNKS', 'ADDED', 'TITLE'], documents.map(documentRow)))
    } finally {
      await client.close()
    }
  },
}

async function all(client: Client, kb: string): Promise<KbDocument[]> {
  const { listDocuments } = await import('../../contracts/kb.ts')
  const documents: KbDocument[] = []
  let after: string | undefined
  do {
    const page = await client.call(listDocuments, { params: { kb }, query: { after, limit: 1000 } })
    documents.push(...page.documents)
    after = page.next
  } while (after !== undefined)
  return documents
}

const kbRow = (k: KbInfo) => [
  k.name,
  k.owner,
  k.shared ? 'yes' : 'no',
  String(k.documents),
  String(k.chunks),
  k.embedding?.model ?? '-',
]

const documentRow = (d: KbDocument) => [
  d.id,
  d.type,
  String(d.bytes),
  String(d.chunks),
  d.added.slice(0, 16).replace('T', ' '),
  d.title,
]
