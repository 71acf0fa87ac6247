import { EXIT, Failure } from '../../errors.ts'
import type { Cluster, Ended } from '../../provision/index.ts'
import type { Command } from '../command.ts'
import { nodeNamed } from '../machines/choose.ts'
import { fileFlag, hostKeyFlag, type MachineFlags } from '../machines/flags.ts'
import { withMachines } from '../machines/machines.ts'
import { wholeNumber } from '../values.ts'
import { entryOf, FIELDS } from './journal.ts'
import { since } from './time.ts'

interface Flags extends MachineFlags {
  unit?: string
  follow?: boolean
  since?: string
  lines?: number
}

const LINES = 100
const READ_MS = 120_000
// The longest that a timer of Node can wait: 24 days.
const FOLLOW_MS = 2_147_483_647
const KEEP_BYTES = 1024

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
  more: 'Read as root, by sudo where the user is another one. With --json each entry is a line of JSON.',
  async run({ args, flags, json, io }) {
    const choose = (cluster: Cluster) => [nodeNamed(cluster, args[0]!)]
    return withMachines({ flags, io, choose }, async ({ nodes, on }) => {
      const node = nodes[0]!
      const connection = await on(node)
      const entry = (line: string) => {
        const found = entryOf(node.name, line)
        if (found) io.print(JSON.stringify(found))
        else io.say(line)
      }
      const ended = await connection.exec(argvOf(flags, json), {
        root: true,
        deadlineMs: flags.follow ? FOLLOW_MS : READ_MS,
        signal: io.signal,
        keepBytes: KEEP_BYTES,
        onLine: (line, from) => (from === 'stderr' ? io.say(line) : json ? entry(line) : io.print(line)),
      })
      if (ended.code === 0 && !flags.follow) return
      throw stopped(node.name, ended, flags)
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

function argvOf(flags: Flags, json: boolean): string[] {
  const lines = flags.lines ?? (flags.since === undefined ? LINES : undefined)
  return [
    'journalctl',
    '--no-pager',
    '--quiet',
    ...(json ? ['--output=json', `--output-fields=${FIELDS}`] : ['--output=short-iso']),
    ...(flags.unit === undefined ? [] : [`--unit=${flags.unit}`]),
    ...(flags.since === undefined ? [] : [`--since=${flags.since}`]),
    ...(lines === undefined ? [] : [`--lines=${lines}`]),
    ...(flags.follow ? ['--follow'] : []),
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
