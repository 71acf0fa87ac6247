import { openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { boundLog } from '../../../src/runtime/local/log-file.ts'
import { tempFolder } from '../../helpers/temp.ts'

const LINE = `${'x'.repeat(99)}\n`

test('a log that grows while it is written to stays bounded, and what was last written is kept', async () => {
  const file = join(tempFolder(), 'services.log')
  const fd = openSync(file, 'a')
  onTestFinished(boundLog(file, { fd, bytes: 1_000, everyMs: 5 }))
  for (let n = 0; n < 30; n++) writeSync(fd, LINE)
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toBe(''))
  expect(readFileSync(`${file}.1`, 'utf8')).toBe(LINE.repeat(30))
  writeSync(fd, 'next\n')
  expect(readFileSync(file, 'utf8')).toBe('next\n')
})

test('a log that is too long at the start is bounded at once', () => {
  const file = join(tempFolder(), 'services.log')
  writeFileSync(file, LINE.repeat(30))
  onTestFinished(boundLog(file, { fd: openSync(file, 'a'), bytes: 1_000, everyMs: 60_000 }))
  expect(readFileSync(file, 'utf8')).toBe('')
})

test('where the output goes elsewhere the file is left alone', () => {
  const [file, other] = [join(tempFolder(), 'services.log'), join(tempFolder(), 'other.log')]
  writeFileSync(file, LINE.repeat(30))
  writeFileSync(other, LINE.repeat(30))
  onTestFinished(boundLog(file, { fd: openSync(other, 'a'), bytes: 1_000, everyMs: 60_000 }))
  expect(readFileSync(file, 'utf8')).toBe(LINE.repeat(30))
  expect(readFileSync(other, 'utf8')).toBe(LINE.repeat(30))
})
