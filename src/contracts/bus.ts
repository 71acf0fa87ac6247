import Type, { type Static } from 'typebox'

/** A broker of a cluster, or one that was there before: all of them in one list, any of them will do. */
export const AmqpConfig = Type.Object(
  {
    cluster: Type.String({
      pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
      description: 'begins the names of our queues and exchanges, so that clusters may share brokers',
    }),
    brokers: Type.Array(
      Type.Object(
        { host: Type.String({ minLength: 1 }), port: Type.Integer({ minimum: 1, maximum: 65_535 }) },
        { additionalProperties: false },
      ),
      { minItems: 1 },
    ),
    vhost: Type.Optional(Type.String({ minLength: 1 })),
    user: Type.String({ minLength: 1 }),
    /** Files are read again for each connection, so a changed one is used from the next on. */
    passwordFile: Type.String(),
    /** Absent: not encrypted. `cert` and `key` where the brokers ask for a certificate too. */
    tls: Type.Optional(
      Type.Object(
        {
          ca: Type.String({ description: 'file' }),
          cert: Type.Optional(Type.String({ description: 'file' })),
          key: Type.Optional(Type.String({ description: 'file' })),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)
export type AmqpConfig = Static<typeof AmqpConfig>

/** How services give each other hints. `in-process`, also when nothing is said: they all run in one process. */
export const BusConfig = Type.Union([
  Type.Literal('in-process'),
  Type.Object({ amqp: AmqpConfig }, { additionalProperties: false }),
])
export type BusConfig = Static<typeof BusConfig>
