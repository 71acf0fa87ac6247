import type { Pool } from '../pools.ts'

const INDEX = 'default.rgw.buckets.index'
const DATA = 'default.rgw.buckets.data'
const SMALL = [
  '.rgw.root',
  'default.rgw.log',
  'default.rgw.control',
  'default.rgw.meta',
  INDEX,
  'default.rgw.buckets.non-ec',
]

/** Of the gateways, made before there is one, so that a gateway needs no right to make any. */
export const RGW_POOLS: Pool[] = [
  ...SMALL.map(name => ({ name, app: 'rgw' as const, pgs: 8 })),
  { name: DATA, app: 'rgw' },
]
