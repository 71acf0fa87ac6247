import { createHash } from 'node:crypto'
import type { Rights } from '../../../../src/provision/components/rabbitmq/accounts.ts'

/** What a broker's management answers, as the fact prints it. */
export interface Said {
  members?: { name: string; running?: boolean; partitions?: string[] }[]
  alarms?: { resource: string; node: string }[]
  users?: { name: string; password: string; tags?: string | string[] }[]
  permissions?: ({ user: string } & Rights)[]
  vhosts?: string[]
  queues?: { name: string; type?: string; members: string[] }[]
}

export function printed(said: Said): string {
  const alarms = said.alarms?.length ? { status: 'failed', alarms: said.alarms } : { status: 'ok' }
  const answers: [string, number, unknown][] = [
    [
      '/api/nodes?columns=name,running,partitions',
      200,
      (said.members ?? []).map(member => ({ running: true, partitions: [], ...member })),
    ],
    ['/api/health/checks/alarms', said.alarms?.length ? 503 : 200, alarms],
    [
      '/api/users',
      200,
      (said.users ?? []).map(({ name, password, tags = [] }) => ({
        name,
        tags,
        password_hash: hashed(password),
      })),
    ],
    ['/api/permissions', 200, (said.permissions ?? []).map(one => ({ vhost: '/', ...one }))],
    [
      '/api/queues?columns=name,vhost,type,members&disable_stats=true',
      200,
      (said.queues ?? []).map(queue => ({ vhost: '/', type: 'quorum', ...queue })),
    ],
    ['/api/vhosts?columns=name', 200, (said.vhosts ?? ['/']).map(name => ({ name }))],
  ]
  return answers.map(([path, status, body]) => `${path}\t${status}\t${JSON.stringify(body)}\n`).join('')
}

function hashed(password: string): string {
  const salt = Buffer.from('salt')
  const salted = createHash('sha256').update(salt).update(password).digest()
  return Buffer.concat([salt, salted]).toString('base64')
}
