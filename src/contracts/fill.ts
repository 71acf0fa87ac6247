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
    fullAt: Type.Number({ minimum: 0, maximum: 1, description: 'from here on writes are refused' }),
  },
  { additionalProperties: false },
)
export type Fill = Static<typeof Fill>

export const FillConfig = Type.Object(
  { file: Type.String({ minLength: 1 }) },
  { additionalProperties: false },
)
export type FillConfig = Static<typeof FillConfig>

/** Where it lies on machines. */
export const FILL_FILE = '/run/llmagentos-fill/ceph.json'
