import { EXIT, Failure } from '../../errors.ts'
import type { Cluster, Ended } from '../../provision/index.ts'
import type { Command } from '../command.ts'
import { nodeNamed } from '../machines/choose.ts'
import { fileFlag, hostKeyFlag, type MachineFlags } from '../machines/flags.ts'
import { withMachines } from '../machines/machines.ts'
import { wholeNumber } from '../values.ts'
import { entryOf, FIELDS, type Fields, fieldsOf, shortIso } from './journal.ts'
import { since } from './time.ts'

interface Flags extends MachineFlags {
  unit?: string
  follow?: boolean
  since?: string
  lines?: number
}

const LINES = 100
const READ_MS = 120_000
const KEEP_BYTES = 1024
const JOURNALCTL = ['journalctl', '--no-pager', '--quiet']
const AS_JSON = ['--output=json', `--output-fields=${FIELDS}`]

export const logs: Command<Flags> = {
  name: 'logs',
  summary: 'print the journal of a node',
  arguments: [{ name: 'node', says: 'a name of cluster.yaml' }],
  options: [
    fileFlag,
    hostKeyFlag,
    { flag: '--unit <unit>', says: 'only of this systemd unit', parse: unitName },
    { flag: '--follow', says: 'go on with what is written from now on, until Ctrl-C' },
    {
      flag: '--since <time>',
      says: '10m, 2h or 7d ago; 2026-01-31 or 2026-01-31T08:00 by the clock of the node; today',
      parse: since,
    },
    {
      flag: '--lines <count>',
      says: `the newest so many; without it ${LINES}, or all with --since`,
      parse: wholeNumber({ from: 0, to: 1_000_000 }),
    },
  ],
  example: 'llmagentos node logs ctl1 --unit ssh --since 1h',
  more: [
    'Read as root, by sudo where the user is another one. With --json each entry is a line of JSON.',
    'With --follow a cut connection is made again, for ten minutes, and it goes on behind the last entry that was printed.',
  ].join('\n'),
  async run({ args, flags, json, io }) {
    const choose = (cluster: Cluster) => [nodeNamed(cluster, args[0]!)]
    return withMachines({ flags, io, choose }, async ({ nodes, on }) => {
      const node = nodes[0]!
      const connection = await on(node)
      const printed = (fields: Fields) => io.print(JSON.stringify(entryOf(node.name, fields)))
      if (flags.follow) {
        const { follow } = await import('./follow.ts')
        const ended = await follow(connection, {
          argv: [...JOURNALCTL, ...AS_JSON, '--all', ...unitOf(flags)],
          old: oldOf(flags),
          fromNow: flags.lines === 0,
          signal: io.signal,
          onEntry: (fields, { zone }) => (json ? printed(fields) : io.print(shortIso(fields, zone))),
          say: line => io.say(line),
        })
        throw stopped(node.name, ended, flags)
      }
      const entry = (line: string) => {
        const found = fieldsOf(line)
        if (found) printed(found)
        else io.say(line)
      }
      const format = json ? AS_JSON : ['--output=short-iso']
      const ended = await connection.exec([...JOURNALCTL, ...format, ...unitOf(flags), ...oldOf(flags)], {
        root: true,
        deadlineMs: READ_MS,
        signal: io.signal,
        keepBytes: KEEP_BYTES,
        onLine: (line, from) => (from === 'stderr' ? io.say(line) : json ? entry(line) : io.print(line)),
      })
      if (ended.code !== 0) throw stopped(node.name, ended, flags)
    })
  },
}

/** journalctl follows until it is ended; where the node has no inotify instance left it stops with 0, and says why. */
function stopped(node: string, { code, stderr }: Ended, { follow }: Flags): Failure {
  const inotify = /watch descriptors/.test(stderr)
  return new Failure(
    follow ? `journalctl on ${node} stopped following.` : `journalctl on ${node} exited with ${code}.`,
    {
      exit: EXIT.unhealthy,
      why: stderr.trim() || undefined,
      next: inotify ? 'Raise fs.inotify.max_user_instances there, or read without --follow.' : undefined,
    },
  )
}

const unitOf = ({ unit }: Flags) => (unit === undefined ? [] : [`--unit=${unit}`])

function oldOf(flags: Flags): string[] {
  const lines = flags.lines ?? (flags.since === undefined ? LINES : undefined)
  return [
    ...(flags.since === undefined ? [] : [`--since=${flags.since}`]),
    ...(lines === undefined ? [] : [`--lines=${lines}`]),
  ]
}

/** journalctl would take * and ? for a pattern. */
function unitName(text: string): string {
  if (/^[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,254}$/.test(text)) return text
  throw new Failure(`${text} is not the name of a unit.`, {
    exit: EXIT.usage,
    next: 'It looks like ssh, ssh.service or chrony.service.',
  })
}
