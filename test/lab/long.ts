/** Stories on real nodes that take minutes each. They belong to `npm run test:long`, so that `npm run test:lab` stays within CI's half hour. */
export const LONG = [
  'bus',
  'bus-faults',
  'bus-services',
  'canaries',
  'certificates',
  'cluster-s3',
  'cluster-ways',
  'engine-faults',
  'engine-lock',
  'firewalld',
  'items',
  'rabbitmq',
  'tend-long',
  'up-faults',
  'up-killed',
].map(name => `test/lab/${name}.test.ts`)
