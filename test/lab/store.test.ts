import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { openS3 } from '../../src/runtime/services/data/store/s3/index.ts'
import { storeContract } from '../runtime/services/data/store/contract.ts'
import { type Rgw, startRgw } from './ceph/rgw.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

describe.each(SUITES)('Ceph of %s', suite => {
  let lab: Lab
  let ceph: Rgw

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 1 })
    ceph = await startRgw(lab)
  })
  afterAll(() => lab?.close())

  storeContract('the store on two gateways', async () => {
    const store = await openS3(await ceph.config())
    onTestFinished(() => store.close())
    return store
  })
})
