import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EXIT } from '../../../../../src/errors.ts'
import { openEmbedded } from '../../../../../src/runtime/services/data/store/embedded.ts'
import { tempFolder } from '../../../../helpers/temp.ts'

test('a new store is open to its owner alone and says its format', async () => {
  const folder = join(tempFolder(), 'deep', 'store')
  await (await openEmbedded(folder)).close()
  expect(JSON.parse(readFileSync(join(folder, 'format.json'), 'utf8'))).toMatchObject({ format: 1 })
  for (const name of ['', 'blobs']) expect(statSync(join(folder, name)).mode & 0o077).toBe(0)
})

test('a store written by a newer version is refused and untouched', async () => {
  const folder = tempFolder()
  const store = await openEmbedded(folder)
  await store.create('q/a', Buffer.from('x'), 'w')
  await store.close()
  writeFileSync(join(folder, 'format.json'), '{"format":2,"writtenBy":"9.9.9"}')
  const before = picture(folder)
  await expect(openEmbedded(folder)).rejects.toMatchObject({
    exit: EXIT.preflight,
    message: expect.stringContaining('newer llmagentos'),
    why: expect.stringContaining('9.9.9'),
    next: expect.stringContaining('newer version'),
  })
  expect(picture(folder)).toEqual(before)
})

test.each([
  ['missing', undefined],
  ['empty', ''],
  ['broken', '{"form'],
  ['of another shape', '[]'],
])('a store whose format file is %s is refused and untouched', async (_, text) => {
  const folder = tempFolder()
  await (await openEmbedded(folder)).close()
  if (text === undefined) rmSync(join(folder, 'format.json'))
  else writeFileSync(join(folder, 'format.json'), text)
  const before = picture(folder)
  await expect(openEmbedded(folder)).rejects.toMatchObject({ exit: EXIT.preflight, why: expect.any(String) })
  expect(picture(folder)).toEqual(before)
})

test('records that are no LMDB file are refused with their folder', async () => {
  const folder = tempFolder()
  await (await openEmbedded(folder)).close()
  writeFileSync(join(folder, 'records', 'data.mdb'), 'x'.repeat(100_000))
  await expect(openEmbedded(folder)).rejects.toMatchObject({
    exit: EXIT.preflight,
    message: expect.stringContaining(join(folder, 'records')),
  })
})

test('a file where the folder belongs is refused', async () => {
  const file = join(tempFolder(), 'file')
  writeFileSync(file, '')
  await expect(openEmbedded(file)).rejects.toMatchObject({
    exit: EXIT.preflight,
    why: expect.stringContaining('EEXIST'),
  })
})

test.skipIf(process.getuid?.() === 0)(
  'a folder that may not be written is refused (skipped as root, who may write all)',
  async () => {
    const folder = join(tempFolder(), 'closed')
    mkdirSync(folder)
    chmodSync(folder, 0o500)
    await expect(openEmbedded(folder)).rejects.toMatchObject({
      exit: EXIT.preflight,
      why: expect.stringContaining('EACCES'),
    })
  },
)

test('temporary files of an upload that a crash cut off are swept at the next open', async () => {
  const folder = tempFolder()
  await (await openEmbedded(folder)).close()
  writeFileSync(join(folder, 'blobs', '.part-0123'), 'half')
  await (await openEmbedded(folder)).close()
  expect(readdirSync(join(folder, 'blobs'))).toEqual([])
})

/** Every file with its time and size. */
function picture(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(name => join(folder, String(name)))
    .map(path => `${path} ${statSync(path).mtimeMs} ${statSync(path).size}`)
    .sort()
}
