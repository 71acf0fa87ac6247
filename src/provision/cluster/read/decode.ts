import { isDeepStrictEqual } from 'node:util'
import type { Path, Problem } from '../problems.ts'
import { expected, nameOf, type Shape } from '../schema/shape.ts'
import { nearest } from './nearest.ts'
import { decodeScalar } from './scalar.ts'
import type { Item } from './tree.ts'

type MapItem = Extract<Item, { kind: 'map' }>

/** What is known beside the schema: words that are right, but not in this version. */
export interface Decoding {
  problems: Problem[]
  /** Called for a key that the object does not know; says what is wrong with it in words of its own, or nothing. */
  unknownKey?(path: Path, known: string[]): { says: string; fix?: string } | undefined
}

/**
 * Turns the tree into data by the schema: checks it, fills defaults in, parses units into numbers. All mistakes go to
 * `problems`; the result means something only when there are none.
 */
export function decode(shape: Shape, item: Item, path: Path, o: Decoding): unknown {
  if (shape.anyOf) return decodeChoice(shape, item, path, o)
  if (shape.type === 'object') return decodeObject(shape, item, path, o)
  if (shape.type === 'array') return decodeList(shape, item, path, o)
  return decodeScalar(shape, item, path, o.problems)
}

/** The branch that takes it; else the one that was meant, by what kind of thing stands there. */
function decodeChoice(shape: Shape, item: Item, path: Path, o: Decoding): unknown {
  const tries = shape.anyOf!.map(branch => {
    const problems: Problem[] = []
    return { branch, problems, value: decode(branch, item, path, { ...o, problems }) }
  })
  const right = tries.find(t => t.problems.length === 0)
  if (right) return right.value
  const meant = tries.filter(t => kindOf(t.branch) === item.kind)
  if (meant.length === 1 && item.kind !== 'scalar') o.problems.push(...meant[0]!.problems)
  else o.problems.push({ path, says: `must be ${expected(shape)}`, at: item.at })
  return undefined
}

const kindOf = ({ type }: Shape): Item['kind'] =>
  type === 'object' ? 'map' : type === 'array' ? 'list' : 'scalar'

function decodeObject(shape: Shape, given: Item, path: Path, o: Decoding): unknown {
  // `gateway:` with nothing behind it means: all its defaults.
  const item: Item = isNothing(given) ? { kind: 'map', entries: new Map(), at: given.at } : given
  if (item.kind !== 'map') {
    o.problems.push({ path, says: `must be ${expected(shape)}`, at: item.at })
    return undefined
  }
  const out = shape.patternProperties
    ? decodeRecord(shape, item, path, o)
    : decodeFields(shape, item, path, o)
  if (item.entries.size < (shape.minProperties ?? 0))
    o.problems.push({ path, says: 'must not be empty', at: item.at })
  return out
}

const isNothing = (item: Item) => item.kind === 'scalar' && item.value === null && !item.quoted

function decodeFields(shape: Shape, item: MapItem, path: Path, o: Decoding): unknown {
  const fields = shape.properties ?? {}
  const out: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(fields)) {
    const entry = item.entries.get(key)
    if (entry) out[nameOf(key, field)] = decode(field, entry.item, [...path, key], o)
    else if (field.default !== undefined)
      out[nameOf(key, field)] = decode(field, plain(field.default, item.at), [...path, key], o)
    else if (shape.required?.includes(key))
      o.problems.push({ path: [...path, key], says: 'is missing', fix: addIt(key, field), at: item.at })
  }
  const unknown = [...item.entries].filter(([key]) => !Object.hasOwn(fields, key))
  for (const [key, entry] of unknown) {
    const known = Object.keys(fields)
    const own = o.unknownKey?.([...path, key], known) ?? unknownKey(key, known)
    o.problems.push({ path: [...path, key], ...own, at: entry.at })
  }
  return out
}

function unknownKey(key: string, known: string[]): { says: string; fix: string } {
  const meant = nearest(key, known)
  const list = known.length > 0 ? `Known here: ${known.join(', ')}.` : 'Nothing can stand here.'
  return { says: 'is not known here', fix: meant ? `Did you mean ${meant}?` : list }
}

const addIt = (key: string, field: Shape) =>
  `Add ${key}${field.description ? `: ${field.description}` : ''}.`.replace(/\.\.$/, '.')

function decodeRecord(shape: Shape, item: MapItem, path: Path, o: Decoding): unknown {
  const [pattern, value] = Object.entries(shape.patternProperties!)[0]!
  const out: [string, unknown][] = []
  for (const [key, entry] of item.entries) {
    if (new RegExp(pattern).test(key)) out.push([key, decode(value, entry.item, [...path, key], o)])
    else
      o.problems.push({
        path: [...path, key],
        says: shape.patternErrorMessage ?? 'is no name for a label',
        ...(!shape.patternErrorMessage && {
          fix: 'Letters, digits, _, . and -, first and last a letter or digit.',
        }),
        at: entry.at,
      })
  }
  return Object.fromEntries(out)
}

function decodeList(shape: Shape, item: Item, path: Path, o: Decoding): unknown {
  if (item.kind !== 'list') {
    const fix = isNothing(item) ? undefined : 'Begin each entry with -, or write [ ] around them.'
    o.problems.push({ path, says: 'must be a list', fix, at: item.at })
    return undefined
  }
  const before = o.problems.length
  const out = item.items.map((one, i) => decode(shape.items!, one, [...path, i], o))
  if (out.length < (shape.minItems ?? 0)) o.problems.push({ path, says: 'must not be empty', at: item.at })
  if (shape.uniqueItems && o.problems.length === before)
    out.forEach((one, i) => {
      const first = out.findIndex(other => isDeepStrictEqual(one, other))
      if (first < i)
        o.problems.push({ path: [...path, i], says: `is the same as entry ${first}`, at: item.items[i]!.at })
    })
  return out
}

/** A default, as if it stood in the file. */
function plain(value: unknown, at: Item['at']): Item {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(one => plain(one, at)), at }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([k, v]) => [k, { at, item: plain(v, at) }] as const)
    return { kind: 'map', entries: new Map(entries), at }
  }
  return { kind: 'scalar', value: value as string, substituted: false, quoted: true, at }
}
