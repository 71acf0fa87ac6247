import Type, { type Static } from 'typebox'

const Ratio = Type.Number({ minimum: 0, maximum: 1 })

/**
 * How full the disks behind an object store are: a file that whoever may ask the store's monitors writes anew every minute, by a rename, for
 * the data service beside it, which may not ask them.
 */
export const Fill = Type.Object(
  {
    at: Type.String({ description: 'ISO 8601, UTC' }),
    used: Type.Number({ minimum: 0, maximum: 1, description: 'of the fullest disk' }),
    /** What the fullest disk would hold once the largest node is gone and its copies were made anew on the others. */
    withoutOneNode: Type.Optional(Type.Number({ minimum: 0 })),
    nearfull: Ratio,
  },
  { additionalProperties: false },
)
export type Fill = Static<typeof Fill>

/** Where the data service reads it, and from where on it refuses writes. */
export const FillConfig = Type.Object(
  { file: Type.String({ minLength: 1 }), fullAt: Ratio },
  { additionalProperties: false },
)
export type FillConfig = Static<typeof FillConfig>
