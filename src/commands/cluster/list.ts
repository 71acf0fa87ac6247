import type { Command } from '../command.ts'

export const list: Command = {
  name: 'list',
  summary: 'list the clusters that this command line knows',
  example: 'llmagentos cluster list',
  async run({ json, io }) {
    const { Clusters } = await import('../../runtime/index.ts')
    const { current, clusters } = new Clusters(io.env).list()
    if (json) return io.print(JSON.stringify({ current, clusters }))
    if (clusters.length === 0)
      return io.say('No cluster yet. Start one on this machine: llmagentos cluster up')
    for (const c of clusters) io.print(`${c.name === current ? '*' : ' '} ${c.name}  ${c.urls.join(', ')}`)
  },
}
