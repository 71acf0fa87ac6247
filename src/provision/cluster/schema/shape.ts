import type { TSchema } from 'typebox'
import { FORMATS, type Format } from './formats.ts'

/** The part of JSON schema that cluster.yaml's schemas use. */
export interface Shape {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  description?: string
  default?: unknown
  properties?: Record<string, Shape>
  required?: string[]
  patternProperties?: Record<string, Shape>
  minProperties?: number
  items?: Shape
  minItems?: number
  uniqueItems?: boolean
  anyOf?: Shape[]
  enum?: string[]
  const?: string | number
  pattern?: string
  patternErrorMessage?: string
  format?: string
  minimum?: number
  maximum?: number
  /** The value chooses nodes by role or labels. */
  selector?: boolean
}

export const shapeOf = (schema: TSchema) => schema as Shape

export const formatOf = (shape: Shape): Format | undefined =>
  shape.format === undefined ? undefined : (FORMATS as Record<string, Format>)[shape.format]

/** The field's name after decoding, with its unit. */
export const nameOf = (key: string, shape: Shape) => `${key}${formatOf(shape)?.suffix ?? ''}`

/** Ends `must be ...`. */
export function expected(shape: Shape): string {
  if (shape.anyOf) return shape.anyOf.map(expected).join(', or ')
  if (shape.const !== undefined) return String(shape.const)
  if (shape.enum) return shape.enum.length === 1 ? shape.enum[0]! : `one of ${shape.enum.join(', ')}`
  const format = formatOf(shape)
  if (format) return format.says
  if (shape.type === 'integer' || shape.type === 'number')
    return `integer${shape.minimum === undefined ? '' : ` from ${shape.minimum} to ${shape.maximum}`}`
  if (shape.type === 'boolean') return 'true or false'
  if (shape.type === 'array') return 'a list'
  if (shape.type === 'object') return 'a mapping of names to values'
  return shape.patternErrorMessage?.replace(/^must be /, '') ?? 'text'
}
