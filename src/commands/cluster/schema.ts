import type { Command } from '../command.ts'

interface Flags {
  markdown?: boolean
}

export const schema: Command<Flags> = {
  name: 'schema',
  summary: 'print what can stand in cluster.yaml, as a JSON schema',
  options: [{ flag: '--markdown', says: 'as a table of fields for people' }],
  example: 'llmagentos cluster schema > cluster.schema.json',
  async run({ flags, json, io }) {
    const { jsonSchema, reference } = await import('../../provision/index.ts')
    if (!flags.markdown) return io.print(JSON.stringify(jsonSchema(), undefined, json ? 0 : 2))
    io.print(json ? JSON.stringify({ markdown: reference() }) : reference().trimEnd())
  },
}
