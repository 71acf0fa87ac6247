import { GetBucketVersioningCommand } from '@aws-sdk/client-s3'
import type { S3Config } from '../../../../../contracts/s3.ts'
import { EXIT, Failure, reasonOf } from '../../../../../errors.ts'
import { StoreAway } from '../store.ts'
import { faultOf } from './faults.ts'
import type { Gateways } from './gateways.ts'

/** Throws a Failure unless all buckets are there, open to us, and were never versioned. Changes nothing. */
export async function checkBuckets(config: S3Config, gateways: Gateways): Promise<void> {
  const buckets = [...new Set(Object.values(config.buckets))]
  const states = await Promise.all(buckets.map(bucket => stateOf(bucket, config, gateways)))
  const missing = buckets.filter((_, i) => states[i] === 'missing')
  if (missing.length > 0)
    throw new Failure(`The store has no bucket ${missing.join(', ')}.`, {
      exit: EXIT.preflight,
      why: `${placesOf(config)} answered, and the other buckets are there or not made either`,
      next: 'Make it as the user of the data service (`llmagentos cluster up` does). Where there was one: do not, but look for what took it away.',
    })
  const versioned = buckets.filter((_, i) => states[i] === 'versioned')
  if (versioned.length > 0)
    throw new Failure(`The bucket ${versioned.join(', ')} of the store is versioned.`, {
      exit: EXIT.unsafe,
      why: 'a record that was created once could be overwritten there, and what is deleted would stay',
      next: 'Give the store buckets that never were versioned; switching it off leaves the versions.',
    })
}

async function stateOf(
  Bucket: string,
  config: S3Config,
  gateways: Gateways,
): Promise<'missing' | 'versioned' | 'fine'> {
  const o = { says: `look at its bucket ${Bucket}` }
  try {
    const { value } = await gateways.ask(o, (client, abortSignal) =>
      client.send(new GetBucketVersioningCommand({ Bucket }), { abortSignal }),
    )
    return value.Status === undefined ? 'fine' : 'versioned'
  } catch (thrown) {
    if (thrown instanceof StoreAway)
      throw new Failure('The store cannot be reached.', {
        exit: EXIT.unreachable,
        why: thrown.message,
        next: `See whether the gateways run: ${placesOf(config)}.`,
        cause: thrown,
      })
    const { status, code } = faultOf(thrown)
    if (status === 404) return 'missing'
    if (status === undefined) throw thrown
    throw new Failure(`The store does not let us into its bucket ${Bucket}.`, {
      exit: EXIT.preflight,
      why: `${code} for the access key ${config.accessKey}: ${reasonOf(thrown)}`,
      next: `Check that key, what ${config.secretKeyFile} holds, and whom the bucket belongs to.`,
      cause: thrown,
    })
  }
}

const placesOf = (config: S3Config) => config.endpoints.map(({ host, port }) => `${host}:${port}`).join(', ')
