import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dataCluster } from './cluster.ts'

const BINARY = Buffer.from([0, 1, 2, 255, 254, 27, 91, 10])

test('a file is stored, listed, read back and removed', async () => {
  const { folder, cli } = await dataCluster()
  writeFileSync(join(folder, 'notes.md'), '# Notes\n')
  expect(await cli(['data', 'put', 'notes.md'])).toEqual({
    code: 0,
    stdout: 'Stored notes.md (8 bytes).\n',
    stderr: '',
  })
  expect((await cli(['data', 'list'])).stdout).toMatch(
    /^NAME +VERSION +BYTES +TYPE +CREATED\nnotes\.md +1 +8 +text\/markdown +20/,
  )
  expect((await cli(['data', 'get', 'notes.md'])).stdout).toBe('# Notes\n')
  expect((await cli(['data', 'rm', 'notes.md'])).stdout).toBe('Removed notes.md.\n')
  expect(await cli(['data', 'list'])).toEqual({ code: 0, stdout: '', stderr: 'There are no objects yet.\n' })
})

test('a taken name needs --replace, and the earlier version stays', async () => {
  const { folder, cli } = await dataCluster()
  writeFileSync(join(folder, 'a.txt'), 'one')
  await cli(['data', 'put', 'a.txt'])
  writeFileSync(join(folder, 'a.txt'), 'two')
  const refused = await cli(['data', 'put', 'a.txt'])
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toMatch(/^error: There is an object a\.txt already\.\n {2}next: Add --replace/)
  expect((await cli(['data', 'put', 'a.txt', '--replace'])).stdout).toBe(
    'Stored a.txt (3 bytes, version 2).\n',
  )
  expect((await cli(['data', 'get', 'a.txt'])).stdout).toBe('two')
  expect((await cli(['data', 'get', 'a.txt', '--at', '1'])).stdout).toBe('one')
  expect((await cli(['data', 'rm', 'a.txt'])).stdout).toBe('Removed a.txt with its 2 versions.\n')
})

test('standard input is stored under the name it is given, 0 bytes too', async () => {
  const { folder, cli } = await dataCluster()
  const piped = await cli(['data', 'put', '-', '--name', 'in/x.bin', '--json'], { stdin: BINARY })
  expect(JSON.parse(piped.stdout)).toMatchObject({
    name: 'in/x.bin',
    bytes: 8,
    type: 'application/octet-stream',
  })
  writeFileSync(join(folder, 'empty'), '')
  expect((await cli(['data', 'put', 'empty'])).stdout).toBe('Stored empty (0 bytes).\n')
  expect((await cli(['data', 'put', '-', '--name', 'nothing'])).stdout).toBe('Stored nothing (0 bytes).\n')
  expect((await cli(['data', 'get', 'empty', '-o', 'out'])).code).toBe(0)
  expect(readFileSync(join(folder, 'out'))).toHaveLength(0)
})

test('a large file keeps every byte on its way there and back', async () => {
  const { folder, cli } = await dataCluster()
  const content = Buffer.alloc(50 * 1024 * 1024, 'llmagentos')
  writeFileSync(join(folder, 'large'), content)
  expect((await cli(['data', 'put', 'large'])).code).toBe(0)
  const got = await cli(['data', 'get', 'large', '-o', 'again', '--json'])
  expect(JSON.parse(got.stdout)).toEqual({
    name: 'large',
    file: join(folder, 'again'),
    bytes: content.length,
  })
  expect(readFileSync(join(folder, 'again')).equals(content)).toBe(true)
})

test('bytes that are no text are not printed to a terminal', async () => {
  const { folder, cli } = await dataCluster()
  writeFileSync(join(folder, 'x.bin'), BINARY)
  await cli(['data', 'put', 'x.bin'])
  const refused = await cli(['data', 'get', 'x.bin'], { tty: true })
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toContain('The object is not text')
  expect((await cli(['data', 'get', 'x.bin'])).code).toBe(0)
  writeFileSync(join(folder, 'x.txt'), 'grüße\n')
  await cli(['data', 'put', 'x.txt'])
  expect((await cli(['data', 'get', 'x.txt'], { tty: true })).stdout).toBe('grüße\n')
})

test.each([
  ['a file that is not there', ['put', 'none'], 'none cannot be read.'],
  ['a directory', ['put', 'folder'], 'folder is a directory.'],
  ['a pipe that nobody writes to', ['put', 'pipe'], 'pipe is no regular file.'],
  ['a device', ['put', '/dev/zero'], '/dev/zero is no regular file.'],
  ['standard input without a name', ['put', '-'], 'What comes from standard input needs a name.'],
  ['a name with ..', ['put', 'file', '--name', 'a/../b'], 'This is no name for an object'],
  ['a name that is too long', ['put', 'file', '--name', 'ä'.repeat(300)], 'This is no name for an object'],
  ['a type that is none', ['put', 'file', '--type', 'nonsense'], 'nonsense is not a media type.'],
  ['an object that is not there', ['get', 'none'], 'There is no object none.'],
  ['a version that is not there', ['get', 'none', '--at', '7'], 'There is no version 7 of none.'],
  ['an object that is not there to remove', ['rm', 'none'], 'There is no object none.'],
  ['a folder to write to', ['get', 'known', '-o', 'folder'], 'folder cannot be written.'],
  ['a folder that is not there', ['get', 'known', '-o', 'none/x'], 'none/x cannot be written.'],
  ['--json without a file', ['get', 'known', '--json'], '--json says what was written'],
])('%s is one clear sentence and exit code 2', async (_, words, sentence) => {
  const { folder, cli } = await dataCluster()
  mkdirSync(join(folder, 'folder'))
  execFileSync('mkfifo', [join(folder, 'pipe')])
  writeFileSync(join(folder, 'file'), 'x')
  await cli(['data', 'put', 'file', '--name', 'known'])
  const { code, stdout, stderr } = await cli(['data', ...words])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(sentence)
  expect(stderr).not.toMatch(/^ +at /m)
})

test('what cannot be fetched leaves the file that was there, and nothing beside it', async () => {
  const { folder, cli } = await dataCluster()
  writeFileSync(join(folder, 'mine'), 'kept')
  const before = readdirSync(folder)
  expect((await cli(['data', 'get', 'none', '-o', 'mine'])).code).toBe(2)
  expect(readFileSync(join(folder, 'mine'), 'utf8')).toBe('kept')
  expect(readdirSync(folder)).toEqual(before)
})

test('the list keeps to its prefix and is JSON when asked', async () => {
  const { cli } = await dataCluster()
  for (const name of ['a/1', 'a/2', 'b']) await cli(['data', 'put', '-', '--name', name], { stdin: name })
  const { objects } = JSON.parse((await cli(['data', 'list', 'a/', '--json'])).stdout)
  expect(objects.map((o: { name: string }) => o.name)).toEqual(['a/1', 'a/2'])
  expect((await cli(['data', 'list', 'c'])).stderr).toBe('No object begins with c.\n')
})
