import { readFileSync, realpathSync, statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { type Document, isAlias, isCollection, isMap, isScalar, type Node, parseDocument, visit } from 'yaml'
import { EXIT, Failure } from '../../errors.ts'
import { parse, readClusterFile } from './load.ts'
import type { Path } from './problems.ts'
import { escaped } from './read/substitute.ts'
import { splice } from './splice.ts'
import { writeWhole } from './write.ts'

/** One field and its new value as cluster.yaml writes it; undefined takes the field out. */
export interface Change {
  path: Path
  value: unknown
}

/**
 * Changes fields of cluster.yaml in place: comments, order, anchors and all other bytes stay. The result must load (ClusterFileError
 * otherwise), and the file is replaced at once or not at all; false when nothing had to change.
 */
export function edit(file: string, changes: Change[], env: NodeJS.ProcessEnv): boolean {
  // A link stays a link: what it points to is replaced.
  const target = realpath(file)
  const before = readClusterFile(target)
  const after = changes.reduce((text, change) => edited(text, change), before)
  parse(after, { env, file })
  if (after === before) return false
  const like = statSync(target)
  if (readFileSync(target, 'utf8') !== before)
    throw refused(`${file} was changed by someone else meanwhile`, 'Run the command again.')
  writeWhole(target, after, { replace: true, like })
  return true
}

function realpath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}

/** The text with one change. */
export function edited(text: string, change: Change): string {
  const doc = parseDocument(text)
  if (doc.errors.length > 0) throw refused('The file is not YAML', doc.errors[0]!.message)
  refuseShared(doc, change.path)
  const { path, value } = change.value === undefined ? change : fromExisting(doc, change)
  const wanted = value === undefined ? undefined : literal(value)
  if (wanted !== undefined && isDeepStrictEqual(plainAt(doc, path), wanted)) return text
  const short = splice(text, doc, path, wanted)
  if (wanted === undefined) doc.deleteIn(path)
  else doc.setIn(path, wanted)
  // A way of writing that the short way does not know: the library writes the whole file, with its comments and anchors.
  return short !== undefined && saysTheSame(short, doc) ? short : doc.toString({ lineWidth: 0 })
}

/** Where `scale:` is not there yet, `scale/worker` is added as `scale: {worker: ...}`. */
function fromExisting(doc: Document, { path, value }: Change): Change {
  for (let depth = 1; depth < path.length; depth++) {
    if (isCollection(doc.getIn(path.slice(0, depth), true))) continue
    return {
      path: path.slice(0, depth),
      value: path.slice(depth).reduceRight((inner, key) => ({ [key]: inner }), value),
    }
  }
  return { path, value }
}

function saysTheSame(text: string, doc: Document): boolean {
  const other = parseDocument(text)
  return other.errors.length === 0 && isDeepStrictEqual(other.toJS(), doc.toJS())
}

/** A text that holds `${` must not be taken for a variable when it is read again. */
function literal(value: unknown): unknown {
  if (typeof value === 'string') return escaped(value)
  if (Array.isArray(value)) return value.map(literal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, literal(one)]))
}

const plainAt = (doc: Document, path: Path): unknown => {
  const node = doc.getIn(path, true) as Node | undefined
  return isScalar(node) ? node.value : isCollection(node) ? node.toJS(doc) : undefined
}

/** A change of what several places share would change them all, so it is left to the operator. */
function refuseShared(doc: Document, path: Path): void {
  for (let depth = 1; depth <= path.length; depth++) {
    const node = doc.getIn(path.slice(0, depth), true)
    const where = path.slice(0, depth).join('/')
    const last = depth === path.length
    if (isAlias(node) && !last)
      throw refused(
        `${where} is the alias *${node.source}`,
        'Write it out there, then run the command again.',
      )
    const parent = depth === 1 ? doc.contents : doc.getIn(path.slice(0, depth - 1), true)
    if (node === undefined && !last && isMap(parent) && parent.has('<<'))
      throw refused(
        `${path.slice(0, depth - 1).join('/')} takes ${path[depth - 1]} from a <<`,
        'Write it out there, then run the command again.',
      )
    if (!isCollection(node) && !isScalar(node)) continue
    if (node.anchor && isUsed(doc, node.anchor))
      throw refused(
        `${where} has the anchor &${node.anchor}, which stands elsewhere too`,
        'Write it out where it is used, then run the command again.',
      )
  }
}

function isUsed(doc: Document, anchor: string): boolean {
  let used = false
  visit(doc, {
    Alias(_, alias) {
      used ||= alias.source === anchor
    },
  })
  return used
}

const refused = (what: string, next: string) => new Failure(`${what}.`, { exit: EXIT.usage, next })
