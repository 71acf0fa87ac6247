import type { Path, Problem } from '../problems.ts'
import { expected, formatOf, type Shape } from '../schema/shape.ts'
import { nearest } from './nearest.ts'
import type { Item } from './tree.ts'

type Scalar = Extract<Item, { kind: 'scalar' }>

/** One number, word or text by its schema; what is wrong goes to `problems`. */
export function decodeScalar(shape: Shape, item: Item, path: Path, problems: Problem[]): unknown {
  const wrong = (fix?: string, says = `must be ${expected(shape)}`) => {
    problems.push({ path, says, fix, at: item.at })
    return undefined
  }
  if (item.kind !== 'scalar') return wrong()
  const value = item.substituted ? converted(item.value as string, shape) : item.value
  if (value === null) return wrong('Nothing stands here: write a value, or take the line out.')

  if (shape.const !== undefined) return value === shape.const ? value : wrong()
  if (shape.type === 'integer') return isWhole(value, shape) ? value : wrong(unquoted(item))
  if (shape.type === 'boolean') return typeof value === 'boolean' ? value : wrong(unquoted(item))
  // Also 1.20 and true, which YAML reads as something else than text.
  if (typeof value !== 'string') return wrong(shape.format || shape.enum ? undefined : 'Put it in quotes.')
  if (shape.enum) {
    if (shape.enum.includes(value)) return value
    const meant = nearest(value, shape.enum)
    return wrong(meant && shape.enum.length > 1 ? `Did you mean ${meant}?` : undefined)
  }
  const format = formatOf(shape)
  if (format) {
    const reading = format.read(value)
    return reading.value === undefined ? wrong(reading.fix, reading.says) : reading.value
  }
  return shape.pattern && !new RegExp(shape.pattern, 'u').test(value) ? wrong() : value
}

const isWhole = (value: unknown, { minimum, maximum }: Shape) =>
  Number.isSafeInteger(value) &&
  (value as number) >= (minimum ?? Number.MIN_SAFE_INTEGER) &&
  (value as number) <= (maximum ?? Number.MAX_SAFE_INTEGER)

/** A variable's value is text; where the field wants a number it is read as one. */
function converted(text: string, { type, const: only }: Shape): string | number | boolean {
  if ((type === 'integer' || typeof only === 'number') && /^-?\d+$/.test(text)) return Number(text)
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  return text
}

const unquoted = (item: Scalar) =>
  item.quoted && !item.substituted && /^(\d+|true|false)$/.test(String(item.value))
    ? `Write ${item.value} without quotes.`
    : undefined
