import { Errors } from 'typebox/schema'
import type { Kind } from './kind.ts'

/** What is wrong with parameters, in words; undefined when they fit the kind. */
export function wrongWith(kind: Kind, params: unknown): string | undefined {
  const [fits, errors] = Errors(kind.params, params)
  if (fits) return undefined
  const first = errors.find(e => e.keyword !== 'boolean') ?? errors[0]!
  const where = `params${first.instancePath}`
  if ('additionalProperties' in first.params && Array.isArray(first.params.additionalProperties))
    return `${where} has no property ${first.params.additionalProperties.join(', ')}; it has ${namesOf(kind).join(', ')}`
  return `${where} ${first.message}`
}

export const namesOf = (kind: Kind): string[] =>
  Object.keys((kind.params as { properties?: object }).properties ?? {})
