import { quote } from '../../../connections/quote.ts'
import type { Fact, Facts } from '../../../facts/fact.ts'
import { fill } from '../../../os/template.ts'
import { CA_FILE } from '../../../secrets/authority.ts'
import { SECRETS } from '../../../secrets/fact.ts'
import { type Grant, secretOfGrant, type View } from '../../component.ts'
import { isMon } from '../names.ts'
import type { Config } from '../schema.ts'
import { endpoints, rgwNodes } from './gateways.ts'

/** What the gateways answer, asked on a control node as those who have a key. */
export interface S3 {
  /** By node: `up`, or why not. */
  gateways: Record<string, string>
  /** The status that its user gets for it: 200, 404 for one that is not there, 403 for a key that is not known. */
  buckets: Record<string, number>
  /** Where that was asked: `no`, `Enabled`, `Suspended`, or why it is not known. */
  versioned: Record<string, string>
}

/** Asks as a client would, which takes milliseconds; a call of radosgw-admin takes half a second. */
export const s3 = (view: View<Config>, mode: 'ask' | 'check' = 'ask'): Fact<S3> => ({
  id: `gateways of S3 ${JSON.stringify(s3Argv(view, mode).slice(3))}`,
  deadlineMs: 30_000,
  script: `[ -e ${CA_FILE} ] || { echo '{"gateways":{},"buckets":{},"versioned":{}}'; exit 0; }
exec ${quote(['timeout', '25', ...s3Argv(view, mode)])}`,
  parse: stdout => JSON.parse(stdout) as S3,
})

/** The first control node that takes part; it has the keys as files. */
export const askedOn = (view: View<Config>): string | undefined => view.nodes.find(isMon)?.name

export function s3Told(view: View<Config>, facts: Facts): S3 | undefined {
  const node = askedOn(view)
  const answer = node === undefined ? undefined : facts.peek(node, s3(view))
  return answer?.known ? answer.value : undefined
}

export function s3Argv(view: View<Config>, mode: 'ask' | 'check' | 'make', only?: string): string[] {
  const { cluster, config } = view
  const all = endpoints(cluster, config, '')
  return [
    'python3',
    '-c',
    fill('ceph/s3.py', {}),
    mode,
    CA_FILE,
    ...rgwNodes(cluster, config).flatMap((node, i) => [
      'gateway',
      node.name,
      all[i]!.host,
      String(all[i]!.port),
    ]),
    ...view.grants.flatMap(grant => [
      'user',
      grant.as,
      `${SECRETS}/${secretOfGrant(grant)}`,
      ...bucketsOf(grant)
        .filter(bucket => only === undefined || bucket === only)
        .flatMap(bucket => ['bucket', bucket]),
    ]),
  ]
}

export const bucketsOf = (grant: Grant): string[] =>
  Array.isArray(grant['buckets']) ? (grant['buckets'] as string[]) : []
