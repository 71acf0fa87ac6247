import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { EXIT } from '../../../../../src/errors.ts'
import { openEmbedded } from '../../../../../src/runtime/services/data/store/embedded.ts'
import { tempFolder } from '../../../../helpers/temp.ts'
import { program } from '../program.ts'

test('a second opener is refused and told who holds the store', async () => {
  const folder = tempFolder()
  const store = await openEmbedded(folder)
  const refused = await openEmbedded(folder).catch(thrown => thrown)
  expect(refused).toMatchObject({
    exit: EXIT.locked,
    why: expect.stringContaining(`process ${process.pid} `),
  })
  expect(refused.next).toContain('cluster down')
  await store.close()
  await (await openEmbedded(folder)).close()
})

test('of ten that open at once one holds the store', async () => {
  const folder = tempFolder()
  const ends = await Promise.allSettled(Array.from({ length: 10 }, () => openEmbedded(folder)))
  const opened = ends.filter(e => e.status === 'fulfilled')
  expect(opened).toHaveLength(1)
  for (const e of ends) if (e.status === 'rejected') expect(e.reason).toMatchObject({ exit: EXIT.locked })
  await opened[0]!.value.close()
})

test('a stopped process keeps its store; a killed one gives it back at once', async () => {
  const folder = tempFolder()
  const holder = spawn(process.execPath, [await program('holder'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void holder.kill('SIGKILL'))
  await once(holder.stdout, 'data')
  holder.kill('SIGSTOP')
  await expect.poll(() => readFileSync(`/proc/${holder.pid}/stat`, 'utf8').split(') ')[1]?.[0]).toBe('T')
  await expect(openEmbedded(folder)).rejects.toMatchObject({
    exit: EXIT.locked,
    why: expect.stringContaining(`process ${holder.pid} `),
  })
  expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(`${holder.pid}\n`)
  const ended = once(holder, 'exit')
  holder.kill('SIGKILL')
  await ended
  await (await openEmbedded(folder)).close()
})

test('what a holder starts does not keep the store after it', async () => {
  const folder = tempFolder()
  const store = await openEmbedded(folder)
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  await store.close()
  await (await openEmbedded(folder)).close()
})
