import { EXIT } from '../../errors.ts'
import type { Command } from '../command.ts'
import { type MachineFlags, machineFlags, withMachines } from '../machines/index.ts'
import { timeSpan } from '../node/time.ts'
import { wholeNumber } from '../values.ts'

interface Flags extends MachineFlags {
  limit: number
  since?: number
}

export const audit: Command<Flags> = {
  name: 'audit',
  summary: 'show what was done on the machines, and how it ended',
  options: [
    ...machineFlags,
    {
      flag: '--limit <number>',
      says: 'how many lines, the newest',
      default: 100,
      parse: wholeNumber({ from: 1, to: 100_000 }),
    },
    { flag: '--since <time>', says: 'only what is not older: 90s, 10m, 2h, 7d', parse: timeSpan },
  ],
  example: 'llmagentos cluster audit --on gpu1 --since 2h',
  more: 'Each machine keeps its own journal, /var/lib/llmagentos/journal.ndjson. When it is larger than 4 MiB a new one begins; one older one is kept and read too. Lines of one run share its name; runs that change nothing write nothing.',
  run: ({ flags, json, io }) =>
    withMachines({ flags, io }, async machines => {
      const { readJournal } = await import('../../provision/index.ts')
      const found = await machines.each(async connection => connection)
      const since = flags.since === undefined ? undefined : new Date(Date.now() - flags.since)
      const read = await readJournal(
        found.flatMap(one => (one.failure ? [] : [one.value])),
        { limit: flags.limit, since, signal: io.signal },
      )
      const silent = [
        ...found.flatMap(one => (one.failure ? [{ node: one.node.name, why: one.failure.message }] : [])),
        ...read.silent,
      ]
      if (json) io.print(JSON.stringify({ lines: read.lines, silent }))
      else {
        const { table } = await import('../views/table.ts')
        const rows = read.lines.map(l => [l.at, l.node, l.who, l.run, l.component, endOf(l), l.says])
        if (rows.length > 0)
          io.print(table(['AT', 'NODE', 'WHO', 'RUN', 'COMPONENT', 'OUTCOME', 'STEP'], rows))
        else io.print('Nothing was done on these machines.')
      }
      for (const { node, why } of silent) if (!json) io.say(`${node} is missing: ${why}`)
      return silent.length > 0 ? EXIT.unreachable : EXIT.ok
    }),
}

const endOf = ({ outcome, code, ms }: { outcome: string; code?: number; ms?: number }) =>
  [outcome, code ? `exit ${code}` : '', ms === undefined ? '' : `${(ms / 1000).toFixed(1)} s`]
    .filter(Boolean)
    .join(', ')
