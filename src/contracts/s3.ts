import Type, { type Static } from 'typebox'

const Bucket = Type.String({ pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$' })

/** Object storage that speaks S3 (Ceph RGW 16 and 18 are tested): any of the endpoints will do, the nearest first. */
export const S3Config = Type.Object(
  {
    endpoints: Type.Array(
      Type.Object(
        { host: Type.String({ minLength: 1 }), port: Type.Integer({ minimum: 1, maximum: 65_535 }) },
        { additionalProperties: false },
      ),
      { minItems: 1 },
    ),
    /** The authority that signed the endpoints' certificates. Absent: not encrypted. */
    tls: Type.Optional(
      Type.Object(
        { ca: Type.String({ minLength: 1, description: 'file' }) },
        { additionalProperties: false },
      ),
    ),
    region: Type.Optional(Type.String({ minLength: 1, description: 'default: us-east-1, which RGW takes' })),
    /** By fate: tasks come and go, data and knowledge stay, sys is what the cluster itself remembers. None is versioned. */
    buckets: Type.Object(
      { tasks: Bucket, data: Bucket, kb: Bucket, sys: Bucket },
      { additionalProperties: false },
    ),
    accessKey: Type.String({ minLength: 1 }),
    /** Read again when the store refuses the key that it held. */
    secretKeyFile: Type.String({ minLength: 1 }),
  },
  { additionalProperties: false },
)
export type S3Config = Static<typeof S3Config>

/** Where the data service keeps what must last: a folder that one process holds, or object storage for many. */
export const StoreConfig = Type.Union([
  Type.Object({ embedded: Type.String({ description: 'folder' }) }, { additionalProperties: false }),
  Type.Object({ s3: S3Config }, { additionalProperties: false }),
])
export type StoreConfig = Static<typeof StoreConfig>
