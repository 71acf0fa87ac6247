import type { Facts } from '../../../facts/fact.ts'
import type { Component, Finding, View } from '../../component.ts'
import type { Config } from '../schema.ts'
import type { Told } from '../told.ts'
import { rgwNodes } from './gateways.ts'
import { askedOn, type S3, s3, s3Told } from './s3.ts'

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

/** What `cluster check` asks of a Ceph that runs; where none does yet it finds nothing. */
export const bucketCheck: NonNullable<Component<Config>['check']> = {
  facts: (view, node) =>
    askedOn(view) === node.name && rgwNodes(view.cluster, view.config).length > 0 ? [s3(view, 'check')] : [],
  judge(view, facts) {
    const node = askedOn(view)
    if (node === undefined || rgwNodes(view.cluster, view.config).length === 0) return []
    const answer = facts.peek(node, s3(view, 'check'))
    if (!answer.known)
      return [{ level: 'unknown', node, says: `It did not tell how the buckets of S3 are: ${answer.why}.` }]
    const wrong = versioned(answer.value)
    const count = Object.keys(answer.value.versioned).length
    return wrong.length > 0 || count === 0
      ? wrong
      : [{ level: 'ok', says: `None of ${count} buckets is versioned.` }]
  },
}

/** In a versioned bucket a record that is made once may be written over: the promise of every task rests on that. */
const versioned = (told: S3): Finding[] =>
  Object.entries(told.versioned).flatMap(([bucket, state]): Finding[] => {
    if (state === 'no') return []
    if (!/^[A-Z]/.test(state))
      return [
        { level: 'unknown', says: `It was not heard whether the bucket ${bucket} is versioned: ${state}.` },
      ]
    return [
      {
        level: 'bad',
        says: `The bucket ${bucket} is versioned (${state}), and a record in it could be written over.`,
        fix: 'Versioning cannot be taken away: move what is in it into a new bucket without, and find out who turned it on.',
      },
    ]
  })
