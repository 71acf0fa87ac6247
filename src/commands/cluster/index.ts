import type { Noun } from '../command.ts'
import { audit } from './audit.ts'
import { check } from './check.ts'
import { down } from './down.ts'
import { list } from './list.ts'
import { lock } from './lock.ts'
import { plan } from './plan.ts'
import { schema } from './schema.ts'
import { secrets } from './secrets.ts'
import { status } from './status.ts'
import { up } from './up.ts'
import { use } from './use.ts'

export const cluster: Noun = {
  name: 'cluster',
  summary: 'start, stop and look at a cluster',
  commands: [up, plan, check, status, audit, lock, secrets, down, list, use, schema],
}
