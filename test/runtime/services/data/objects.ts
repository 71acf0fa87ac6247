import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { getObject, listObjects, putObject, removeObject } from '../../../../src/contracts/objects.ts'
import type { QueryOf } from '../../../../src/contracts/route.ts'
import { hopOf, startData } from './service.ts'

export const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** A data service with the acts of one user, and of others by `client`. */
export async function opened(user = 'ann', more: Parameters<typeof startData>[1] = {}) {
  const service = await startData(undefined, more)
  const calls = service.as('gateway')
  const client = (who: string) => ({
    put: (name: string, upload: Buffer | Readable, query: QueryOf<typeof putObject> = {}, headers = {}) =>
      calls.call(putObject, hopOf(who), { params: { '*': name }, query, upload, headers }),
    async get(name: string, o: { version?: number; range?: string } = {}) {
      const headers = o.range === undefined ? undefined : { range: o.range }
      const query = { version: o.version }
      const reply = await calls.raw(getObject, hopOf(who), { params: { '*': name }, query, headers })
      return { status: reply.status, headers: reply.headers, bytes: await buffer(reply.body) }
    },
    list: (query: QueryOf<typeof listObjects> = {}) => calls.call(listObjects, hopOf(who), { query }),
    rm: (name: string) => calls.call(removeObject, hopOf(who), { params: { '*': name } }),
  })
  const files = () => readdirSync(join(service.folder, 'store', 'blobs'))
  return { ...client(user), client, files, service }
}
