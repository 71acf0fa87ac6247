import type { ObjectInfo } from '../../contracts/objects.ts'
import type { Command } from '../command.ts'

export const list: Command = {
  name: 'list',
  summary: 'list your objects by name',
  arguments: [{ name: 'prefix', says: 'only names that begin so', optional: true }],
  example: 'llmagentos data list reports/2026/',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { listObjects } = await import('../../contracts/objects.ts')
    const client = await openClient(io)
    try {
      const objects: ObjectInfo[] = []
      for (let after: string | undefined; ; ) {
        const page = await client.call(listObjects, { query: { prefix: args[0], after, limit: 1000 } })
        objects.push(...page.objects)
        if (page.next === undefined) break
        after = page.next
      }
      if (json) return io.print(JSON.stringify({ objects }))
      if (objects.length === 0)
        return io.say(args[0] ? `No object begins with ${args[0]}.` : 'There are no objects yet.')
      const { table } = await import('../views/table.ts')
      const rows = objects.map(o => [o.name, String(o.version), String(o.bytes), o.type, o.created])
      io.print(table(['NAME', 'VERSION', 'BYTES', 'TYPE', 'CREATED'], rows))
    } finally {
      await client.close()
    }
  },
}
