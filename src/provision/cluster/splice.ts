import {
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { Path } from './problems.ts'
import { inline } from './text.ts'

/**
 * Changes the bytes of one value, or of one new line, and no others; undefined where that is not simple. `value` undefined takes the
 * field out. The caller compares the result with what the library makes of the same change.
 */
export function splice(text: string, doc: Document, path: Path, value: unknown): string | undefined {
  const key = path.at(-1)!
  const parent = path.length === 1 ? doc.contents : doc.getIn(path.slice(0, -1), true)
  if (!isCollection(parent) || !parent.range) return undefined
  const index = isMap(parent)
    ? parent.items.findIndex(pair => isScalar(pair.key) && pair.key.value === key)
    : Number(key)
  const there = index >= 0 && index < parent.items.length
  if (value === undefined) return there ? remove(text, parent, index) : text
  if (there) return replace(text, parent.items[index], value)
  return add(text, parent, { key, value })
}

type Parent = YAMLMap | YAMLSeq

function replace(text: string, item: unknown, value: unknown): string | undefined {
  const node = (isPair(item) ? item.value : item) as Node | null
  const range = node?.range
  // Block scalars and collections end with their last line; what follows must not move.
  if (!range || isBlock(node, text)) return undefined
  // `gateway:` with nothing behind it has its nothing at the colon.
  const gap = range[0] === range[1] ? ' ' : ''
  return text.slice(0, range[0]) + gap + inline(value) + text.slice(range[1])
}

function isBlock(node: Node, text: string): boolean {
  if (isScalar(node))
    return (
      node.type === 'BLOCK_LITERAL' ||
      node.type === 'BLOCK_FOLDED' ||
      text.slice(...spanOf(node)).includes('\n')
    )
  return isCollection(node) && !node.flow
}

const spanOf = (node: Node): [number, number] => [node.range![0], node.range![1]]

function add(text: string, parent: Parent, o: { key: string | number; value: unknown }): string | undefined {
  const entry = isSeq(parent) ? inline(o.value) : `${inline(o.key)}: ${inline(o.value)}`
  if (parent.flow) {
    const close = parent.range![1] - 1
    const end = text.slice(0, close).trimEnd().length
    return `${text.slice(0, end)}${parent.items.length > 0 ? ', ' : ''}${entry}${text.slice(end === close ? close : end)}`
  }
  const last = parent.items.at(-1)
  const from = startOf(last)
  const to = endOf(last)
  if (from === undefined || to === undefined) return undefined
  const indent = isSeq(parent)
    ? /^ *- /.exec(lineAt(text, from))?.[0]
    : ' '.repeat(columnOf(text, startOf(parent.items[0])!))
  if (indent === undefined) return undefined
  const end = lineEnd(text, to)
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  return `${text.slice(0, end)}${newline}${indent}${entry}${text.slice(end)}`
}

function remove(text: string, parent: Parent, index: number): string | undefined {
  const item = parent.items[index]
  const from = startOf(item)
  const to = endOf(item)
  if (from === undefined || to === undefined) return undefined
  if (parent.flow) {
    const next = startOf(parent.items[index + 1])
    if (next !== undefined) return text.slice(0, from) + text.slice(next)
    const before = endOf(parent.items[index - 1])
    return text.slice(0, before ?? from) + text.slice(to)
  }
  // The first field of an entry of a list shares its line with the dash, and the last one cannot go without its parent.
  if (parent.items.length === 1 || (isMap(parent) && lineAt(text, from).trimStart().startsWith('- ')))
    return undefined
  const start = text.lastIndexOf('\n', from - 1) + 1
  return (
    text.slice(0, start) +
    text.slice(Math.min(text.length, lineEnd(text, to) + (text[lineEnd(text, to)] === '\r' ? 2 : 1)))
  )
}

/** Of a pair its key, of an entry of a list its value. */
function startOf(item: unknown): number | undefined {
  return isPair(item) ? (item.key as Node).range?.[0] : (item as Node | undefined)?.range?.[0]
}

/** Behind the last byte of the value; a block collection ends behind its last line. */
function endOf(item: unknown): number | undefined {
  if (!isPair(item)) return (item as Node | undefined)?.range?.[1]
  return ((item.value as Node | null) ?? (item.key as Node)).range?.[1]
}

const lineAt = (text: string, at: number) => text.slice(text.lastIndexOf('\n', at - 1) + 1, lineEnd(text, at))
const columnOf = (text: string, at: number) => at - (text.lastIndexOf('\n', at - 1) + 1)

/** Before the line break behind `at`; a value that ends with its line break has ended before it. */
function lineEnd(text: string, at: number): number {
  const from = text[at - 1] === '\n' ? at - 1 : at
  const end = text.indexOf('\n', from)
  const stop = end < 0 ? text.length : end
  return text[stop - 1] === '\r' ? stop - 1 : stop
}
