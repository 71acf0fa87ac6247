import { stringify } from 'yaml'
import { registry } from '../components/index.ts'
import type { Cluster } from './cluster.ts'
import { escaped } from './read/substitute.ts'
import { clusterSchema } from './schema/index.ts'
import { formatOf, nameOf, type Shape, shapeOf } from './schema/shape.ts'

/** The cluster as a cluster.yaml with every default written out; loading it gives the same cluster. */
export function print(cluster: Cluster, components = registry): string {
  const nodes = cluster.nodes.map(({ allBlank, ...node }) =>
    allBlank ? { ...node, disks: 'all-blank' } : node,
  )
  return stringify(encode(shapeOf(clusterSchema(components)), { ...cluster, nodes }), { lineWidth: 0 })
}

/** The inverse of `decode`: numbers back into text with units. */
export function encode(shape: Shape, value: unknown): unknown {
  const format = formatOf(shape)
  if (format) return escaped(format.write(value as never))
  if (shape.anyOf) return encode(shape.anyOf.find(branch => fits(branch, value))!, value)
  if (shape.type === 'array') return (value as unknown[]).map(one => encode(shape.items!, one))
  if (shape.type === 'object') return encodeObject(shape, value as Record<string, unknown>)
  return typeof value === 'string' ? escaped(value) : value
}

const fits = ({ type, const: only, enum: some }: Shape, value: unknown) =>
  typeof value === 'object'
    ? type === (Array.isArray(value) ? 'array' : 'object')
    : type !== 'object' &&
      type !== 'array' &&
      (only ?? value) === value &&
      (some?.includes(String(value)) ?? true)

function encodeObject(shape: Shape, value: Record<string, unknown>): unknown {
  if (shape.patternProperties) return { ...value }
  return Object.fromEntries(
    Object.entries(shape.properties ?? {})
      .map(([key, field]) => [key, field, value[nameOf(key, field)]] as const)
      .filter(([, , one]) => one !== undefined)
      .map(([key, field, one]) => [key, encode(field, one)]),
  )
}
