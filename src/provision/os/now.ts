import { createHash } from 'node:crypto'
import type { Text } from '../connections/connection.ts'
import type { Kept } from '../facts/kept.ts'
import type { Packages } from '../facts/packages.ts'
import type { Left, Step } from '../reconcile/step.ts'
import { pathsOf } from '../secrets/certificates/paths.ts'
import type { Item } from './item.ts'

/** What a node is like now, for the steps of one component there. */
export interface Now {
  node: string
  component: string
  kept: Kept
  packages: Packages
  users: Set<string>
  /** Steps of the items before this one, in the same plan. */
  before: Step[]
}

/** The manifest's line about a thing of this component. */
export const entryOf = (now: Now, kind: Left['kind'], name: string): Left | undefined =>
  now.kept.entries.find(e => e.component === now.component && e.kind === kind && e.name === name)

export const left = ({ component }: Now, kind: Left['kind'], name: string): Left => ({
  component,
  kind,
  name,
})

/** The manifest lines that an item stands for, as `kind TAB name`. */
export function namesOf(item: Item): string[] {
  switch (item.kind) {
    case 'file':
    case 'block':
      return [`${item.kind}\t${item.path}`]
    case 'release':
      return [`file\t${item.path}`]
    case 'package':
      return item.names.flatMap(name => [`package\t${name}`, ...(item.held ? [`hold\t${name}`] : [])])
    case 'certificate':
      return Object.values(pathsOf(item.name)).map(path => `file\t${path}`)
    case 'opening':
      return [`opening\t${openingName(item)}`]
    default:
      return [`${item.kind}\t${item.name}`]
  }
}

/** As both firewalls' own files spell it, so that a fact finds it there. */
export const openingName = (o: { through: string; protocol: string; port: number; from: string }) =>
  `${o.through} ${o.protocol} ${o.port} ${o.from === 'any' ? '0.0.0.0/0' : o.from.replace(/\/32$/, '')}`

export const sha256 = (text: Text): string =>
  createHash('sha256')
    .update(typeof text === 'string' ? text : text.reveal())
    .digest('hex')

/** A shell program as an act; arguments are never part of its text. */
export const shell = (program: string, ...args: string[]) => ({
  do: 'run' as const,
  argv: ['sh', '-c', program, 'sh', ...args],
})
