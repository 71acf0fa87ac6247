import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { packageRoot } from '../../assets.ts'
import { EXIT, Failure } from '../../errors.ts'
import { registry } from '../components/index.ts'
import { familyOf, isHostName } from './addresses.ts'
import type { Found } from './found.ts'
import { parse } from './load.ts'
import type { Role } from './schema/fields.ts'
import { inline } from './text.ts'

export interface InitInput {
  name: string
  /** `[user@]address[:port]`, one per node. */
  targets: string[]
  /** For targets without one. */
  user?: string
  identityFile?: string
  /** What the machines said, in the order of `targets`. */
  found?: Found[]
}

export interface Start {
  user: string
  address: string
  port?: number
}

/** An annotated cluster.yaml for these machines: needed fields and what was found filled in, all others as comments with an example. Throws Failure (exit 2). */
export function initialFile(input: InitInput): string {
  const targets = input.targets.map(text => startOf(text, input.user))
  const ssh = commonWay(targets)
  const written: Record<string, string> = {
    version: stringify({ version: 1 }),
    name: stringify({ name: input.name }),
    ssh: stringify({ ssh: { ...ssh, ...(input.identityFile && { identityFile: input.identityFile }) } }),
    nodes: nodesText(targets, { ssh, found: input.found }),
    components: componentsText(),
  }
  const text = sections(readFileSync(exampleFile(), 'utf8'))
    .map(({ key, notes, body }) => {
      if (key === undefined) return notes
      const given = written[key]
      return notes + (given === undefined ? commented(body) : given + examples(key, body))
    })
    .join('\n')
  parse(text, { env: {}, file: 'the file for these machines' })
  return text
}

export const exampleFile = () => join(packageRoot(), 'templates', 'cluster', 'example.yaml')

/** One: everything on it. Two: control and a worker. Three: all do all. More: the first three control and store, the rest work. */
export function rolesFor(index: number, count: number): Role[] {
  if (count === 1) return ['control', 'worker']
  if (count === 2) return index === 0 ? ['control'] : ['worker']
  if (count === 3) return ['control', 'storage', 'worker']
  return index < 3 ? ['control', 'storage'] : ['worker']
}

/** Who logs in where. Throws Failure (exit 2) for a text that is no `[user@]address[:port]`. */
export function startOf(text: string, user: string | undefined): Start {
  const [, login = user, address = '', port] = /^(?:([^@\s]+)@)?([^@:\s]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  const wrong = (why: string) =>
    new Failure(`${text} is no machine to start from.`, {
      exit: EXIT.usage,
      why,
      next: 'It looks like ops@10.0.0.11, ops@node1.example.org or ops@10.0.0.11:2222.',
    })
  if (!familyOf(address) && !isHostName(address)) throw wrong('There is no IPv4 address or host name in it.')
  if (!login) throw wrong('It names no user.')
  return { user: login, address: address.toLowerCase(), port: port === undefined ? undefined : Number(port) }
}

/** What all have in common stands once; the user of most of them is the user. */
function commonWay(targets: Start[]): { user: string; port?: number } {
  const count = (user: string) => targets.filter(t => t.user === user).length
  const user = targets.map(t => t.user).toSorted((a, b) => count(b) - count(a))[0]!
  const port = targets[0]!.port
  return port !== undefined && targets.every(t => t.port === port) ? { user, port } : { user }
}

function nodesText(targets: Start[], o: { ssh: { user: string; port?: number }; found?: Found[] }): string {
  const { ssh, found } = o
  const names = namesOf(targets.map(({ address }, i) => found?.[i]?.hostname ?? address))
  const lines = targets.map(({ address, user, port }, i) => {
    const roles = rolesFor(i, targets.length)
    const said = found?.[i]
    const itsOwn = said && ownAddress(address, said)
    const own = {
      ...(itsOwn !== undefined && { host: address }),
      ...(user !== ssh.user && { user }),
      ...(port !== ssh.port && { port }),
    }
    const node = {
      name: names[i],
      address: itsOwn ?? address,
      ...(Object.keys(own).length > 0 && { ssh: own }),
      roles,
      ...(said?.gpus[0] && { labels: { gpu: said.gpus[0] } }),
      ...(said?.disks.length &&
        roles.includes('storage') && { disks: said.disks.map(disk => ({ id: disk.id, class: disk.class })) }),
    }
    return `${said ? `  # ${noteOf(said)}\n` : ''}  - ${inline(node)}\n`
  })
  return `nodes:\n${lines.join('')}`
}

/** The first label of a host name; node1, node2 ... for addresses, and for all of them when labels repeat. */
function namesOf(hosts: string[]): string[] {
  const names = hosts.map((host, i) => {
    const first = host.toLowerCase().split('.')[0]!
    return familyOf(host) || first === 'localhost' || !isHostName(first) ? `node${i + 1}` : first
  })
  return new Set(names).size === names.length ? names : hosts.map((_, i) => `node${i + 1}`)
}

/** Behind an address that the machine does not have itself, other nodes find it at its own, if it has just one. */
function ownAddress(address: string, { addresses }: Found): string | undefined {
  return familyOf(address) && !addresses.includes(address) && addresses.length === 1
    ? addresses[0]
    : undefined
}

function noteOf({ hostname, memoryBytes, cpus, gpus, disks, addresses }: Found): string {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 1 : 0)} GiB`
  const graphics = gpus.length > 0 ? `${gpus.length} GPU (${[...new Set(gpus)].join(', ')})` : 'no GPU'
  const blank = disks.map(disk => `${disk.id} (${disk.class}, ${gib(disk.sizeBytes)})`).join(', ')
  const also = addresses.length > 1 ? `, addresses ${addresses.join(' ')}` : ''
  return `${hostname}: ${gib(memoryBytes)}, ${cpus} CPUs, ${graphics}${also}; blank disks: ${blank || 'none'}`
}

interface Section {
  /** undefined for what stands before the first field. */
  key?: string
  notes: string
  body: string
}

/** The example in its top-level fields, each with the notes above it. Blank lines part them. */
function sections(text: string): Section[] {
  return text.split(/\n\n/).map(block => {
    const lines = block.trimEnd().split('\n')
    const at = lines.findIndex(line => /^\w+:/.test(line))
    const join = (some: string[]) => some.map(line => `${line}\n`).join('')
    if (at < 0) return { notes: join(lines), body: '' }
    return {
      key: lines[at]!.split(':')[0]!,
      notes: join(lines.slice(0, at)),
      body: join(lines.slice(at)),
    }
  })
}

/** What else can stand there: the example's other fields of ssh, its nodes. */
function examples(key: string, body: string): string {
  const below = body.split('\n').slice(1)
  if (key === 'components') {
    const others = below.filter(line => !initial.some(name => line.startsWith(`  ${name}:`)))
    return `# What else they can have: llmagentos cluster schema\n${commented(others.join('\n'))}`
  }
  if (key === 'ssh') return commented(below.filter(line => !/^ {2}user:/.test(line)).join('\n'))
  return key === 'nodes' ? `# Nodes with all that a node can have:\n${commented(below.join('\n'))}` : ''
}

const initial = registry.filter(component => component.initial).map(({ name }) => name)
const componentsText = () => `components:\n${initial.map(name => `  ${name}: {}\n`).join('')}`

/** `#key: value` is a field, `# Words` are notes: taking the # away turns the field on. */
const commented = (body: string) => body.replace(/^(?=.)/gm, '#')
