import { Secret } from '../../../../secret.ts'
import { type Step, step } from '../../../reconcile/step.ts'
import { type Grant, secretOfGrant, type View } from '../../component.ts'
import type { Config } from '../schema.ts'
import { bucketsOf, type S3, s3Argv } from './s3.ts'

const DEADLINE_MS = 120_000

// Arguments are seen by everybody, so the key comes on standard input.
const PUT = `set -eu
timeout 60 radosgw-admin metadata put "user:$1" >/dev/null`

/**
 * Users of the gateways and their buckets, as the grants want them. A user owns its buckets and may make no more than these; it may
 * nothing about other users. Its access key is its name.
 */
export function userSteps(view: View<Config>, o: { node: string; s3: S3 }): Step[] {
  return view.grants.flatMap(grant => {
    const states = bucketsOf(grant).map(bucket => ({ bucket, status: o.s3.buckets[bucket] }))
    if (states.every(({ status }) => status === 200)) return []
    return [
      user(view, o.node, grant),
      ...states
        .filter(({ status }) => status !== 200)
        .map(({ bucket }) =>
          step({
            node: o.node,
            says: `make the bucket ${bucket} of ${grant.as}`,
            risk: 'add',
            deadlineMs: DEADLINE_MS,
            act: { do: 'run', argv: s3Argv(view, 'make', bucket) },
          }),
        ),
    ]
  })
}

function user(view: View<Config>, node: string, grant: Grant): Step {
  const uid = grant.as
  const record = {
    key: `user:${uid}`,
    data: {
      user_id: uid,
      display_name: `${uid} of ${view.cluster.name}`,
      max_buckets: Math.max(1, bucketsOf(grant).length),
      // Left out it would be nothing at all.
      op_mask: 'read, write, delete',
      keys: [{ user: uid, access_key: uid, secret_key: view.secret(secretOfGrant(grant)).reveal() }],
    },
  }
  return step({
    node,
    says: `let ${uid} in at the gateways, with a key and ${bucketsOf(grant).length} buckets`,
    risk: 'add',
    deadlineMs: DEADLINE_MS,
    act: { do: 'run', argv: ['sh', '-c', PUT, 'sh', uid], stdin: new Secret(JSON.stringify(record)) },
  })
}
