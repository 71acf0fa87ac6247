import { createHash } from 'node:crypto'
import { quote } from '../../connections/quote.ts'
import type { Fact } from '../../facts/fact.ts'
import { linesOf } from '../../facts/fields.ts'
import { GET } from './api.ts'
import { AUTHORIZATION, DATA } from './names.ts'

/** What a broker says of itself and of its cluster. */
export type Broker =
  /** `refused`: our password is not the one it knows. */
  { state: 'none' | 'down' | 'refused' } | ({ state: 'up' } & Told)

export interface Told {
  members: { name: string; running: boolean; partitions: string[] }[]
  alarms: string[]
  users: { name: string; tags: string; knows(password: string): boolean }[]
  permissions: { vhost: string; user: string; configure: string; write: string; read: string }[]
  vhosts: string[]
  /** Quorum queues, and the brokers that each has a copy on. */
  queues: { vhost: string; name: string; members: string[] }[]
}

const PATHS = {
  members: '/api/nodes?columns=name,running,partitions',
  alarms: '/api/health/checks/alarms',
  users: '/api/users',
  permissions: '/api/permissions',
  vhosts: '/api/vhosts?columns=name',
  // Without statistics, which are seconds old.
  queues: '/api/queues?columns=name,vhost,type,members&disable_stats=true',
}

/** Asks the management API; a call of rabbitmqctl would take most of a second. */
export const broker: Fact<Broker> = {
  id: 'broker',
  deadlineMs: 20_000,
  script: `[ -r ${AUTHORIZATION} ] || { echo none; exit 0; }
exec ${quote(['bash', '-c', GET, 'bash', ...Object.values(PATHS)])}`,
  parse(stdout) {
    const lines = linesOf(stdout)
    if (lines.includes('none')) return { state: 'none' }
    if (lines.includes('down')) return { state: 'down' }
    const answers = new Map(lines.map(line => answer(line)))
    const [first] = [...answers.values()]
    if (first?.status === '401') return { state: 'refused' }
    return { state: 'up', ...told(path => json(answers.get(path), path)) }
  },
}

/** Names of the brokers of which the node has data. */
export const data: Fact<string[]> = {
  id: 'data of brokers',
  deadlineMs: 5_000,
  script: `cd ${DATA} 2>/dev/null || exit 0
for one in *@*; do case $one in *-plugins-expand | *-feature_flags | *.pid) ;; *) [ ! -d "$one" ] || echo "$one" ;; esac; done`,
  parse: linesOf,
}

interface Answer {
  status: string
  body: string
}

function answer(line: string): [string, Answer] {
  const [path, status, body] = line.split('\t')
  if (!path?.startsWith('/') || !status || body === undefined) throw new Error('it is no answer of a broker')
  return [path, { status, body }]
}

function json(answer: Answer | undefined, path: string): unknown {
  // Whether there is an alarm is told by the status too.
  if (!answer || !['200', '503'].includes(answer.status))
    throw new Error(`${path} answered ${answer?.status ?? 'nothing'}`)
  return JSON.parse(answer.body)
}

type Row = Record<string, unknown>

function told(get: (path: string) => unknown): Told {
  const rows = (path: string) => get(path) as Row[]
  const alarms = get(PATHS.alarms) as { status: string; alarms?: Row[] }
  return {
    members: rows(PATHS.members).map(row => ({
      name: String(row['name']),
      running: row['running'] === true,
      partitions: ((row['partitions'] as string[] | undefined) ?? []).map(String),
    })),
    alarms: (alarms.alarms ?? []).map(alarm => `${alarm['resource']} on ${alarm['node']}`),
    users: rows(PATHS.users).map(row => ({
      name: String(row['name']),
      tags: [row['tags'] ?? ''].flat().join(','),
      knows: password => knows(String(row['password_hash']), password),
    })),
    permissions: rows(PATHS.permissions) as unknown as Told['permissions'],
    vhosts: rows(PATHS.vhosts).map(row => String(row['name'])),
    queues: rows(PATHS.queues)
      .filter(row => row['type'] === 'quorum')
      .map(row => ({
        vhost: String(row['vhost']),
        name: String(row['name']),
        members: ((row['members'] as string[] | undefined) ?? []).map(String),
      })),
  }
}

/** Four bytes of salt, then SHA-256 of salt and password: what both series use unless they are told otherwise. */
function knows(hash: string, password: string): boolean {
  const bytes = Buffer.from(hash, 'base64')
  const salted = createHash('sha256').update(bytes.subarray(0, 4)).update(password)
  return salted.digest().equals(bytes.subarray(4))
}
