import Type, { type TSchema } from 'typebox'

/** `true` for all defaults, `false` for nothing, or a mapping that says more. */
export const orYes = <Y extends TSchema, B extends TSchema>(yes: Y, more: B) =>
  Type.Union([yes, more], { description: `${(yes as { description?: string }).description}` })
