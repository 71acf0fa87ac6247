import { expect, test } from 'vitest'
import { framesOf, startWorker, textOf } from './running.ts'

const PASSAGE = {
  kb: 'docs',
  document: 'scale.md',
  title: 'Scaling',
  position: { line: 1 },
  text: 'To add a node, run `llmagentos cluster up` again.',
  score: 1,
}

test('answers over its socket with text and one end frame', async () => {
  const w = await startWorker()
  const frames = await framesOf(w, { passages: [PASSAGE] })
  expect(textOf(frames)).toContain('To add a node, run `llmagentos cluster up` again. [1]')
  expect(frames.at(-1)).toMatchObject({ type: 'end', finish: 'stop', cites: [1] })
  expect(frames.filter(f => f.type === 'end')).toHaveLength(1)
})

test('refuses an unknown model with what to do about it', async () => {
  const w = await startWorker()
  await expect(framesOf(w, { model: 'llama9' })).rejects.toMatchObject({
    status: 404,
    message: 'This worker has no model llama9.',
    next: expect.stringContaining('llmagentos model list'),
  })
})
