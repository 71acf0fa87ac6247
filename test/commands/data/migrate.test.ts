import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { openEmbedded } from '../../../src/runtime/services/data/store/embedded.ts'
import { runCli } from '../../helpers/cli.ts'
import { tempFolder } from '../../helpers/temp.ts'

const migrate = (...args: string[]) => runCli(['data', 'migrate', ...args])

test('a store is moved by one command, which says what was moved; a second run does nothing', async () => {
  const from = tempFolder()
  const store = await openEmbedded(from)
  await store.create('q/a', Buffer.from('x'), 'w')
  await store.close()
  const to = join(tempFolder(), 'to.json')
  writeFileSync(to, JSON.stringify({ embedded: tempFolder() }))
  const first = await migrate('--from', from, '--to', to)
  expect(first, first.stderr).toMatchObject({ code: 0 })
  expect(first.stdout).toMatch(/^Moved and compared: 2 records and 0 objects/)
  const second = await migrate('--from', from, '--to', to)
  expect(second.stdout).toMatch(/Nothing was done\.\n$/)
})

test('a move without its two ends, or to a file that names no store, is refused in words', async () => {
  const folder = tempFolder()
  expect(await migrate('--from', folder)).toMatchObject({
    code: EXIT.usage,
    stderr: expect.stringContaining('--to FILE'),
  })
  const to = join(folder, 'to.json')
  const cases: [string | undefined, string][] = [
    [undefined, 'ENOENT'],
    ['{', 'JSON'],
    ['{"s3": {}}', 'store'],
  ]
  for (const [text, why] of cases) {
    if (text !== undefined) writeFileSync(to, text)
    const run = await migrate('--from', folder, '--to', to)
    expect(run).toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining('names no store') })
    expect(run.stderr).toContain(why)
  }
})
