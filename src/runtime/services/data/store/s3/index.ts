import type { S3Config } from '../../../../../contracts/s3.ts'
import { EXIT, Failure } from '../../../../../errors.ts'
import type { Log } from '../../../../../log.ts'
import type { ObjectStore } from '../store.ts'

export async function openS3(config: S3Config, _: { log: Log }): Promise<ObjectStore> {
  throw new Failure(`The store at ${config.endpoints[0]!.host} cannot be used yet.`, { exit: EXIT.ours })
}
