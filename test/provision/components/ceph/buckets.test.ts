import { expect, test } from 'vitest'
import { bucketCheck } from '../../../../src/provision/components/ceph/object/judge.ts'
import { s3 } from '../../../../src/provision/components/ceph/object/s3.ts'
import { told, viewOf } from './site.ts'

const disks = { node: 'disks: [{id: a}]' }

test('a bucket that is versioned stands against the cluster, and one that nobody could ask is unknown', () => {
  const view = viewOf('', disks)
  const of = (versioned: Record<string, string>) =>
    bucketCheck
      .judge(
        view,
        told('trixie', { [s3(view, 'check').id]: JSON.stringify({ gateways: {}, buckets: {}, versioned }) }),
      )
      .map(({ level, says }) => `${level} ${says}`)
  expect(of({ tasks: 'no', data: 'Enabled', kb: 'Suspended', sys: 'it answers 403' })).toEqual([
    'bad The bucket data is versioned (Enabled), and a record in it could be written over.',
    'bad The bucket kb is versioned (Suspended), and a record in it could be written over.',
    'unknown It was not heard whether the bucket sys is versioned: it answers 403.',
  ])
  expect(of({ tasks: 'no' })).toEqual(['ok None of 1 buckets is versioned.'])
  expect(of({})).toEqual([])
})

test('what a node did not tell of its buckets is unknown, and only one node is asked', () => {
  const view = viewOf('', disks)
  expect(bucketCheck.judge(view, told('trixie'))).toMatchObject([{ level: 'unknown', node: 'n1' }])
  expect(view.nodes.map(node => bucketCheck.facts(view, node).length)).toEqual([1, 0, 0])
  expect(bucketCheck.judge(viewOf('object: {gateways: 0}', disks), told('trixie'))).toEqual([])
})
