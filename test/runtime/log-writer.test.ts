import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LogWriter } from '../../src/runtime/log-writer.ts'
import { tempFolder } from '../helpers/temp.ts'

test('lines are in the file when the call returns', () => {
  const file = join(tempFolder(), 'log')
  writeFileSync(file, '')
  const fd = openSync(file, 'a')
  const log = new LogWriter(fd)
  log.write('one\n')
  log.write('zw\u00f6lf\n')
  expect(readFileSync(file, 'utf8')).toBe('one\nzw\u00f6lf\n')
  closeSync(fd)
})

test('a full disk and a closed file cost the line and nothing else', () => {
  const fd = openSync('/dev/full', 'w')
  new LogWriter(fd).write('lost\n')
  closeSync(fd)
  new LogWriter(fd).write('lost\n')
})
