import { describe, expect, test, vi } from 'vitest'
import { EXIT, Failure } from '../../../src/errors.ts'
import { done } from './cluster-stand-in.ts'
import { CTRL_C, ESC, opened } from './opened.ts'

describe('a question', () => {
  test('is answered as the answer comes, with its state before and its sources after', async () => {
    const { terminal, cluster, left, conversation } = await opened()
    terminal.type('how do I add a node?\r')
    await terminal.shows('asking ...')
    cluster.send({ type: 'state', state: 'queued', position: 2 })
    await terminal.shows('waiting, 2 before it ...')
    cluster.send({ type: 'state', state: 'loading', percent: 40 })
    await terminal.shows('loading the model, 40 % ...')
    cluster.send({ type: 'state', state: 'prefill' })
    await terminal.shows('reading ...')
    cluster.send({ type: 'text', text: 'Write one more entry' })
    await terminal.shows('Write one more entry\nanswering ...')
    cluster.send({ type: 'text', text: ' under `nodes:`. [1]\n\n' }, done())
    expect(await terminal.shows('Sources:')).toContain(
      [
        '> how do I add a node?',
        'Write one more entry under `nodes:`. [1]',
        '',
        'Sources:',
        '  [1] docs/guide/nodes.md:5  Nodes',
        '',
        '>',
      ].join('\n'),
    )
    expect(cluster.asked).toMatchObject([{ question: 'how do I add a node?', session: conversation.session }])
    terminal.type('/exit\r')
    await left
    expect(conversation.kept).toBe(true)
  })

  test('with a long answer stands there once, line by line, however often it was painted', async () => {
    const { terminal, cluster } = await opened({ columns: 40 })
    terminal.type('long\r')
    await terminal.shows('asking')
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i} of the answer 語 end`)
    for (const line of lines) {
      cluster.send(
        { type: 'text', text: `${line.slice(0, 9)}` },
        { type: 'text', text: `${line.slice(9)}\n` },
      )
      await terminal.shows(line.slice(0, 9))
    }
    cluster.send(done({ sources: [] }))
    await vi.waitFor(() => expect(terminal.text()).not.toContain('answering'))
    expect(terminal.text()).toContain(`> long\n${lines.join('\n')}\n\n>`)
    terminal.type(CTRL_C)
  })

  test.each([
    ['Ctrl-C', CTRL_C],
    ['Esc', ESC],
  ])('that is cancelled by %s keeps what came, and the prompt is back', async (_, key) => {
    const { terminal, cluster, conversation, left } = await opened()
    terminal.type('how?\r')
    await terminal.shows('asking ...')
    cluster.send({ type: 'text', text: 'It begins' })
    await terminal.shows('It begins\nanswering')
    terminal.type(key)
    await terminal.shows(/> how\?\nIt begins\nCancelled\.\n\n>$/)
    expect(cluster.cancelled).toEqual(['how?'])
    terminal.type('and?\r')
    await terminal.shows('> and?\nasking')
    cluster.send(done())
    await terminal.shows('> and?\nall of it')
    expect(conversation.kept).toBe(true)
    terminal.type(CTRL_C)
    await left
  })

  test('that fails is one line with what to do, and the next one is answered', async () => {
    const { terminal, cluster } = await opened({ columns: 100 })
    cluster.failure = new Failure('Too many requests.', { exit: EXIT.unhealthy, next: 'Try again in 7 s.' })
    terminal.type('one\r')
    await terminal.shows('error: Too many requests. Try again in 7 s.\n\n>')
    cluster.failure = undefined
    terminal.type('two\r')
    cluster.send({ type: 'text', text: 'half an' }, 'cut')
    await terminal.shows('half an\nerror: The answer was cut. Try again;')
    terminal.type('three\r')
    cluster.send({ type: 'error', error: { code: 'x', message: 'The worker fell.', next: 'Ask again.' } })
    await terminal.shows('error: The worker fell. Ask again.')
    terminal.type('four\r')
    cluster.send(done({ answer: 'Here it is.' }))
    await terminal.shows('> four\nHere it is.\n\nSources:')
    terminal.type(CTRL_C)
  })

  test('cannot change the terminal by what it or its answer holds', async () => {
    const { terminal, cluster } = await opened()
    terminal.type('q\r')
    cluster.send({ type: 'text', text: 'a\u001b[2Jb\u001b]0;title\u0007c' }, done())
    await terminal.shows('a[2Jb]0;titlec')
    expect(terminal.stdout.written).not.toContain('\u001b[2J')
    terminal.type(CTRL_C)
  })
})
