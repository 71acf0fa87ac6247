import type { S3Config } from '../../../contracts/s3.ts'
import { CA_FILE } from '../../secrets/authority.ts'
import type { Grant, View } from '../component.ts'

const FATES = ['tasks', 'data', 'kb', 'sys'] as const

/** Whether a component of the cluster gives object storage. */
export const hasS3 = (view: View<unknown>): boolean =>
  view.endpoints('s3', view.cluster.nodes[0]?.name ?? '').length > 0

/** What the data service wants there; also while it still has an embedded store, which can be moved only to what is there. */
export const s3Grants = (view: View<unknown>): Grant[] =>
  hasS3(view) ? [{ of: 's3', as: 'data', buckets: Object.values(bucketsOf(view)) }] : []

/** How the data service on a node gets there; its secret key is a file, or `credential:s3` in the unit. */
export function s3ConfigOf(view: View<unknown>, node: string, secretKeyFile: string): S3Config {
  const [grant] = s3Grants(view)
  return {
    endpoints: view.endpoints('s3', node),
    tls: { ca: CA_FILE },
    buckets: bucketsOf(view),
    accessKey: grant!.as,
    secretKeyFile,
  }
}

/** Names of at most 63 characters. */
function bucketsOf({ cluster }: View<unknown>): S3Config['buckets'] {
  const named = FATES.map(fate => [fate, `${cluster.name.slice(0, 57)}-${fate}`])
  return Object.fromEntries(named) as S3Config['buckets']
}
