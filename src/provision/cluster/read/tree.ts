import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml'
import type { Path, Problem, Spot } from '../problems.ts'
import { substitute } from './substitute.ts'

/** A YAML file with the place of everything in it; anchors and merge keys are followed, `${NAME}` is put in. */
export type Item = { at: Spot } & (
  | { kind: 'map'; entries: Map<string, { at: Spot; item: Item }> }
  | { kind: 'list'; items: Item[] }
  | { kind: 'scalar'; value: string | number | boolean | null; substituted: boolean; quoted: boolean }
)

/** Far above any cluster, far below what an alias of aliases of aliases would make. */
const MOST_ITEMS = 200_000

export function parseTree(
  text: string,
  env: NodeJS.ProcessEnv,
): { tree: Item | undefined; problems: Problem[] } {
  const lines = new LineCounter()
  const spot = (offset: number): Spot => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const doc = parsed(text, lines)
  if (!doc) return { tree: undefined, problems: [{ path: [], says: 'is nested too deep' }] }
  // One stray sign makes every later one unexpected: only the first of them says anything.
  const first = doc.errors.find(e => e.code === 'UNEXPECTED_TOKEN')
  const errors = doc.errors.filter(e => e.code !== 'UNEXPECTED_TOKEN' || e === first)
  const problems = [...errors, ...doc.warnings].map(e => syntaxProblem(e, text, spot(e.pos[0])))
  if (problems.length > 0) return { tree: undefined, problems }
  if (!doc.contents) return { tree: undefined, problems: [{ path: [], says: 'is empty' }] }
  const builder = new Builder(spot, env)
  const tree = builder.build(doc.contents, [])
  return { tree, problems: builder.problems }
}

/** The parser goes down by recursion: a file of a million brackets ends it. */
function parsed(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, version: '1.2', schema: 'core' })
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}

function syntaxProblem(e: { code: string; message: string; pos: [number, number] }, text: string, at: Spot) {
  if (/\$\{?$/.test(text.slice(Math.max(0, e.pos[0] - 1), e.pos[0] + 1)))
    return { path: [], says: 'is not YAML here', fix: `Put \${NAME} in quotes inside of { } and [ ].`, at }
  if (e.code === 'MULTIPLE_DOCS')
    return { path: [], says: 'has a second document', fix: 'Take the line --- and what follows out.', at }
  const says = e.message.charAt(0).toLowerCase() + e.message.slice(1)
  return { path: [], says: `is not YAML here: ${says}`, at }
}

class Builder {
  readonly problems: Problem[] = []
  readonly #spot: (offset: number) => Spot
  readonly #env: NodeJS.ProcessEnv
  readonly #anchors = new Map<string, Node>()
  readonly #open = new Set<Node>()
  #items = 0

  constructor(spot: (offset: number) => Spot, env: NodeJS.ProcessEnv) {
    this.#spot = spot
    this.#env = env
  }

  build(node: Node | null, path: Path): Item {
    const at = this.#spot(node?.range?.[0] ?? 0)
    const nothing: Item = { kind: 'scalar', value: null, substituted: false, quoted: false, at }
    if (!node) return nothing
    if (++this.#items > MOST_ITEMS) {
      if (this.#items === MOST_ITEMS + 1)
        this.#problem(path, 'makes the file too large: too many aliases', at)
      return nothing
    }
    if (isAlias(node)) return this.#aliased(node, path, at) ?? nothing
    if (node.anchor) this.#anchors.set(node.anchor, node)
    this.#open.add(node)
    const item = this.#collection(node, path, at) ?? this.#scalar(node, path, at)
    this.#open.delete(node)
    return item
  }

  #aliased(alias: Alias, path: Path, at: Spot): Item | undefined {
    const target = this.#anchors.get(alias.source)
    if (!target) this.#problem(path, `names the anchor &${alias.source}, which does not stand above it`, at)
    else if (this.#open.has(target)) this.#problem(path, `contains itself by the alias *${alias.source}`, at)
    else return this.build(target, path)
    return undefined
  }

  #collection(node: Node, path: Path, at: Spot): Item | undefined {
    if (isSeq<Node>(node))
      return { kind: 'list', items: node.items.map((one, i) => this.build(one, [...path, i])), at }
    if (!isMap<Node, Node | null>(node)) return undefined
    const entries: Extract<Item, { kind: 'map' }>['entries'] = new Map()
    const merged: Item[] = []
    for (const { key, value } of node.items) {
      const keyAt = this.#spot(key.range?.[0] ?? 0)
      if (!isScalar(key)) this.#problem(path, 'has a key that is no plain word', keyAt)
      else if (key.value === '<<') merged.push(this.build(value, path))
      else {
        const name = String(key.value ?? '')
        if (key.anchor) this.#anchors.set(key.anchor, key)
        const item = this.build(value, [...path, name])
        // Nothing written: the place is that of the key.
        entries.set(name, { at: keyAt, item: value?.range ? item : { ...item, at: keyAt } })
      }
    }
    for (const item of merged) this.#merge(entries, item, path)
    return { kind: 'map', entries, at }
  }

  /** `<<: *base` and `<<: [*one, *two]`: what stands first wins, what the map says itself before all. */
  #merge(entries: Extract<Item, { kind: 'map' }>['entries'], item: Item, path: Path): void {
    if (item.kind === 'list') {
      for (const one of item.items) this.#merge(entries, one, path)
    } else if (item.kind === 'map') {
      for (const [name, entry] of item.entries) if (!entries.has(name)) entries.set(name, entry)
    } else this.#problem(path, 'has a << that names no mapping', item.at)
  }

  #scalar(node: Node, path: Path, at: Spot): Item {
    const value = isScalar(node) ? node.value : undefined
    const quoted = isScalar(node) && node.type !== 'PLAIN'
    if (typeof value === 'string') {
      const { text, changed, mistakes } = substitute(value, this.#env)
      for (const mistake of mistakes) this.problems.push({ path, ...mistake, at })
      return { kind: 'scalar', value: text, substituted: changed, quoted, at }
    }
    if (value === null || typeof value === 'number' || typeof value === 'boolean')
      return { kind: 'scalar', value, substituted: false, quoted, at }
    this.#problem(path, 'must be text, a number, true or false', at)
    return { kind: 'scalar', value: null, substituted: false, quoted, at }
  }

  #problem(path: Path, says: string, at: Spot): void {
    this.problems.push({ path, says, at })
  }
}

/** The place of the path, or of the nearest thing above it that the file has. */
export function spotOf(tree: Item, path: Path): Spot {
  let item = tree
  let at = tree.at
  for (const key of path) {
    const next =
      item.kind === 'map'
        ? item.entries.get(String(key))
        : item.kind === 'list' && typeof key === 'number' && item.items[key]
          ? { at: item.items[key].at, item: item.items[key] }
          : undefined
    if (!next) break
    item = next.item
    at = item.at
  }
  return at
}
