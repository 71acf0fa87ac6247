import Type, { type Static } from 'typebox'

/** The body of every refusal of the native API. */
export const ApiError = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: 'stable, for programs' }),
      message: Type.String({ description: 'one sentence: what failed' }),
      next: Type.Optional(Type.String({ description: 'what to do about it' })),
      requestId: Type.Optional(Type.String()),
      status: Type.Optional(
        Type.Integer({
          description: 'of the refusal, where it comes as the last frame of an answer that began as 200',
        }),
      ),
    }),
  },
  { $id: 'ApiError' },
)
export type ApiError = Static<typeof ApiError>
