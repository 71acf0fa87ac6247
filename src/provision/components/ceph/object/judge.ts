import type { Facts } from '../../../facts/fact.ts'
import type { Finding, View } from '../../component.ts'
import type { Config } from '../schema.ts'
import type { Told } from '../told.ts'
import { rgwNodes } from './gateways.ts'
import { s3Told } from './s3.ts'

/** Whether each gateway answers, and whether buckets are there for those who asked for them. */
export function objectFindings(view: View<Config>, facts: Facts, told: Told): Finding[] {
  const wanted = rgwNodes(view.cluster, view.config)
  if (wanted.length === 0 || told.osds.osds.length === 0) return []
  const s3 = s3Told(view, facts)
  if (!s3) return [{ level: 'unknown', says: 'It was not heard how the gateways of S3 are.' }]
  const up = wanted.filter(({ name }) => s3.gateways[name] === 'up')
  const lacking = Object.entries(s3.buckets).filter(([, status]) => status !== 200)
  return [
    ...wanted
      .filter(node => !up.includes(node))
      .map(
        ({ name }): Finding => ({
          node: name,
          level: up.length > 0 ? 'warn' : 'bad',
          says: `Its gateway of S3 does not answer: ${s3.gateways[name] ?? 'it is not there yet'}.`,
          fix: 'Run `cluster up`.',
        }),
      ),
    ...lacking.map(
      ([bucket, status]): Finding => ({
        level: 'bad',
        says: `The bucket ${bucket} is not there for its user (${status}).`,
        fix: 'Run `cluster up`.',
      }),
    ),
    ...(up.length > 0 && lacking.length === 0
      ? [{ level: 'ok' as const, says: `S3 is served by ${up.map(({ name }) => name).join(', ')}.` }]
      : []),
  ]
}
