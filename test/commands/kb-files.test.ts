import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { collect } from '../../src/commands/kb/files.ts'
import { tempFolder } from '../helpers/temp.ts'

const reads = (end: string) => end === '.md'

test('documents are named by their path below the working folder', () => {
  const cwd = tree()
  const ids = (...paths: string[]) => collect(paths, { cwd, reads }).files.map(f => f.id)
  expect(ids('.')).toEqual(['a.md', 'sub/b.md', 'sub/deep/c.md'])
  expect(ids('sub', 'a.md')).toEqual(['sub/b.md', 'sub/deep/c.md', 'a.md'])
  expect(ids('sub', './sub/b.md')).toEqual(['sub/b.md', 'sub/deep/c.md'])
})

test('outside of the working folder, by their path below what was named', () => {
  const other = tree()
  const { files } = collect([join(other, 'sub'), join(other, 'a.md')], { cwd: tempFolder(), reads })
  expect(files.map(f => f.id)).toEqual(['sub/b.md', 'sub/deep/c.md', 'a.md'])
})

test('in folders only what can be read is taken; a file that was named is taken whatever it is', () => {
  const cwd = tree()
  expect(collect(['.'], { cwd, reads }).skipped).toEqual([join(cwd, 'sub/tool.exe')])
  expect(collect(['sub/tool.exe'], { cwd, reads }).files.map(f => f.id)).toEqual(['sub/tool.exe'])
})

test('two files that would become one document are refused', () => {
  const [one, two] = [tree(), tree()]
  expect(() => collect([join(one, 'a.md'), join(two, 'a.md')], { cwd: tempFolder(), reads })).toThrow(
    'would both become the document a.md',
  )
})

test('links and hidden files in a folder are left alone, so that a loop ends', () => {
  const cwd = tree()
  symlinkSync(cwd, join(cwd, 'sub/loop'))
  mkdirSync(join(cwd, '.git'))
  writeFileSync(join(cwd, '.git/x.md'), 'x')
  expect(collect(['.'], { cwd, reads }).files).toHaveLength(3)
})

function tree(): string {
  const folder = tempFolder()
  mkdirSync(join(folder, 'sub/deep'), { recursive: true })
  for (const file of ['a.md', 'sub/b.md', 'sub/deep/c.md', 'sub/tool.exe'])
    writeFileSync(join(folder, file), 'x')
  return folder
}
