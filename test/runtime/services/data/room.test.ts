import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { putDocument } from '../../../../src/contracts/kb.ts'
import { appendTurn, type Turn } from '../../../../src/contracts/sessions.ts'
import { createRecord } from '../../../../src/contracts/store.ts'
import { Room } from '../../../../src/runtime/services/data/room.ts'
import { tempFolder } from '../../../helpers/temp.ts'
import { markdownDocument } from './kb/documents.ts'
import { opened } from './objects.ts'
import { hopOf } from './service.ts'

const now = () => new Date().toISOString()

function told(fill?: object | string) {
  const file = join(tempFolder(), 'fill.json')
  if (fill !== undefined) writeFileSync(file, typeof fill === 'string' ? fill : JSON.stringify(fill))
  return { file }
}

async function roomOf(fill?: object | string) {
  const room = new Room(told(fill))
  await room.start()
  room.stop()
  return room
}

test('writes are refused from the limit on, and when losing a node would fill the others; below both they are not', async () => {
  const refused = async (fill: object) => {
    try {
      ;(await roomOf({ at: now(), nearfull: 0.85, fullAt: 0.8, ...fill })).require()
      return undefined
    } catch (thrown) {
      return thrown
    }
  }
  expect(await refused({ used: 0.79, withoutOneNode: 0.84 })).toBeUndefined()
  expect(await refused({ used: 0.79 })).toBeUndefined()
  expect(await refused({ used: 0.8 })).toMatchObject({
    status: 507,
    message: expect.stringContaining('80 % full'),
  })
  expect(await refused({ used: 0.5, withoutOneNode: 0.86 })).toMatchObject({
    status: 507,
    message: expect.stringContaining('If one node were lost'),
  })
})

test.each([
  ['missing', undefined],
  ['half written', '{"at":'],
  ['of another shape', { used: 2 }],
  [
    'an hour old',
    { at: new Date(Date.now() - 3_600_000).toISOString(), used: 0.99, nearfull: 0.85, fullAt: 0.8 },
  ],
])('while what it is told is %s, writes go on and a note says so', async (_, fill) => {
  const room = await roomOf(fill)
  room.require()
  expect(room.notes()).toEqual([expect.stringMatching(/^(How full|Nobody has said)/)])
})

test('without anybody to ask there is neither refusal nor note', async () => {
  const room = new Room(undefined)
  await room.start()
  room.require()
  expect(room.notes()).toEqual([])
})

test('on a full store what begins something is refused, and what ends or reads something is not', async () => {
  const fill = told({ at: now(), used: 0.5, nearfull: 0.85, fullAt: 0.8 })
  const { put, get, rm, service } = await opened('ann', { fill })
  await put('kept', Buffer.from('one'))
  writeFileSync(fill.file, JSON.stringify({ at: now(), used: 0.9, nearfull: 0.85, fullAt: 0.8 }))
  await vi.waitFor(() => expect(service.notes()).toEqual([expect.stringContaining('Writes are refused.')]), {
    timeout: 10_000,
  })
  const full = { status: 507, code: 'store_full' }
  await expect(put('new', Buffer.from('two'))).rejects.toMatchObject(full)
  const turn = { saw: 0, question: 'q', answer: 'a', window: [], sources: [] } as unknown as Turn & {
    window: []
  }
  const body = {
    ...turn,
    at: now(),
    engine: 'e',
    model: 'm',
    usage: { promptTokens: 0, completionTokens: 0 },
  }
  const llm = service.as('llm')
  await expect(llm.call(appendTurn, hopOf('ann'), { params: { id: 's' }, body })).rejects.toMatchObject(full)
  const document = await markdownDocument('d.md', '# D\n\ntext')
  await expect(
    service.as('executor').call(putDocument, hopOf('ann'), { params: { kb: 'notes' }, body: document }),
  ).rejects.toMatchObject(full)
  const record = async (name: string) =>
    (await service.as('task').raw(createRecord, hopOf(), { params: { '*': name }, upload: Buffer.from('x') }))
      .status
  expect(await record('q/ann/2/id.1')).toBe(507)
  expect(await record('idem/ann/key')).toBe(507)
  expect(await record('q/ann/2/id.2')).toBe(201)
  expect(await record('x/2026-11-22/id/e1')).toBe(201)
  expect(await record('h/ann/id.done')).toBe(201)
  expect(String((await get('kept')).bytes)).toBe('one')
  expect(await rm('kept')).toMatchObject({ versions: 1 })
})
