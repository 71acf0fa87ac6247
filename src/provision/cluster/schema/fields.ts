import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox'
import { FORMATS, type Format, type FormatName } from './formats.ts'
import type { Written } from './parsed.ts'

export const ROLES = ['control', 'storage', 'worker', 'compute'] as const
export type Role = (typeof ROLES)[number]

/** An object that knows its keys and refuses others. */
export function block<P extends TProperties>(description: string, properties: P): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, description })
}

/** May be left out; then it is `value`, so its type never says undefined. */
export function byDefault<S extends TSchema>(value: unknown, schema: S): S {
  return Type.Optional({ ...schema, default: value } as unknown as TSchema) as unknown as S
}

export const optional = Type.Optional

export function text(description: string, o: { pattern?: string; must?: string } = {}) {
  return Type.String({
    description,
    pattern: o.pattern ?? '^\\S(.*\\S)?$',
    // Visual Studio Code's YAML and JSON editors show this text too.
    patternErrorMessage: `must be ${o.must ?? 'text without blanks around it'}`,
  })
}

export function oneOf<const V extends string[]>(description: string, values: V) {
  return Type.Enum(values, { type: 'string', description })
}

export const yesNo = (description: string) => Type.Boolean({ description })

export function whole(description: string, o: { from: number; to: number }) {
  return Type.Integer({ description, minimum: o.from, maximum: o.to })
}

export function listOf<S extends TSchema>(description: string, items: S, o: { min?: number } = {}) {
  return Type.Array(items, { description, minItems: o.min ?? 0, uniqueItems: true })
}

const written = <V, S extends string>(format: FormatName, description: string) => {
  const { pattern }: Format = FORMATS[format]
  return Type.Unsafe<Written<V, S>>({ type: 'string', format, ...(pattern && { pattern }), description })
}

export const duration = (says: string) => written<number, 'Ms'>('time-span', says)
export const size = (says: string) => written<number, 'Bytes'>('byte-size', says)
export const percent = (says: string) => written<number, 'Percent'>('percentage', says)
export const range = (says: string) => written<{ min: number; max: number }, ''>('span', says)
export const network = (says: string) =>
  written<{ address: string; prefixLength: number }, ''>('network', says)
export const addressInNetwork = (says: string) =>
  written<{ address: string; prefixLength: number }, ''>('address-in-network', says)
export const address = (says: string) => written<string, ''>('address', says)
export const url = (says: string) => written<string, ''>('url', says)

export const port = (says: string) => whole(says, { from: 1, to: 65_535 })

/** A file on a node. */
export const path = (says: string) =>
  text(says, { pattern: '^/[^\\u0000-\\u001f]*$', must: 'an absolute path' })

/** What becomes a DNS label, a systemd unit's name and a certificate's name. */
export const name = (says: string) =>
  text(says, {
    pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
    must: '1 to 63 of a-z, 0-9 and -, neither first nor last a -',
  })

const LABEL = '^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$'

export const labels = (says: string) =>
  Type.Record(
    Type.String({ pattern: LABEL }),
    Type.String({
      pattern: LABEL,
      patternErrorMessage: 'must be 1 to 63 letters, digits, _, . and -, starting and ending with no sign',
    }),
    { description: says, additionalProperties: false },
  )

/** Which nodes: those with a role, or those with all these labels. Checked against the nodes of the file wherever it stands. */
export const selector = (says: string) =>
  Type.Union([oneOf('a role', [...ROLES]), { ...labels('labels that a node has'), minProperties: 1 }], {
    description: says,
    selector: true,
  })
export type Selector = Static<ReturnType<typeof selector>>
