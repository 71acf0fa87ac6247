import { randomBytes } from 'node:crypto'
import { readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { getObject, listObjects, putObject, removeObject } from '../../../../../src/contracts/objects.ts'
import { createRecord, deleteRecord, getRecord } from '../../../../../src/contracts/store.ts'
import { ownHop } from '../../../../../src/runtime/hop.ts'
import { Refusal } from '../../../../../src/runtime/refusal.ts'
import { listening } from './setup.ts'

// Fills the small disk under the service, with objects and with records, and says what it met.
const folder = process.argv[2]!
const service = await listening(folder)
const task = service.as('task')
const gateway = service.as('gateway')
const hop = () => ({ ...ownHop(), token: 'ann' })
const refusals: unknown[] = []

/** Stores until it is refused; the bytes of those that were acknowledged. */
async function fill(
  store: (name: string, bytes: Buffer) => Promise<unknown>,
  prefix: string,
): Promise<Map<string, Buffer>> {
  const stored = new Map<string, Buffer>()
  for (let i = 0; i < 1000; i++) {
    const bytes = randomBytes(300_000)
    const names = [1, 2, 3].map(n => `${prefix}/${i}.${n}`)
    const ends = await Promise.allSettled(names.map(n => store(n, bytes)))
    for (const [at, end] of ends.entries()) {
      if (end.status === 'fulfilled') stored.set(names[at]!, bytes)
      else
        refusals.push(
          end.reason instanceof Refusal ? [end.reason.status, end.reason.code] : String(end.reason),
        )
    }
    if (ends.some(e => e.status === 'rejected')) return stored
  }
  throw new Error('the disk is too large for this')
}

const object = (name: string) => ({ params: { '*': name } })
const putOne = (name: string, upload: Buffer) => gateway.call(putObject, hop(), { ...object(name), upload })
const createOne = (name: string, upload: Buffer) =>
  task.call(createRecord, hop(), { ...object(name), upload })

async function intact(
  route: typeof getObject | typeof getRecord,
  stored: Map<string, Buffer>,
): Promise<boolean> {
  for (const [name, bytes] of stored) {
    const reply = await (route === getObject ? gateway : task).raw(route, hop(), object(name))
    if (!(await buffer(reply.body)).equals(bytes)) return false
  }
  return true
}

const objects = await fill(putOne, 'o')
const { objects: listed } = await gateway.call(listObjects, hop(), { query: { limit: 1000 } })
const blobs = readdirSync(join(folder, 'store', 'blobs'))
await gateway.call(removeObject, hop(), object([...objects.keys()][0]!))
await gateway.call(removeObject, hop(), object([...objects.keys()][1]!))
for (const name of [...objects.keys()].slice(0, 2)) objects.delete(name)

const records = await fill(createOne, 'q')
const found = {
  objectsListed: listed.length === objects.size + 2,
  blobs: blobs.length === objects.size + 2,
  objects: await intact(getObject, objects),
  records: await intact(getRecord, records),
}
const [first] = records.keys()
await task.call(deleteRecord, hop(), object(first!))
await createOne('q/after', Buffer.from('works again'))
await service.stop()
writeSync(1, JSON.stringify({ ...found, refusals, stored: [objects.size, records.size] }))
