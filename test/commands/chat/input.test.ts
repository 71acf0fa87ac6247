import { describe, expect, test, vi } from 'vitest'
import { done } from './cluster-stand-in.ts'
import { CTRL_C, opened } from './opened.ts'

describe('the input', () => {
  test('is edited with the keys as terminals send them', async () => {
    const { terminal } = await opened()
    terminal.type('日本語x')
    for (const key of ['\u007f', '\u001b[D', '\u001b[D', '\u001b[3~', '\u001b[H', 'A', '\u001b[F', 'Z'])
      terminal.type(key)
    await terminal.shows('> A日語Z')
    terminal.type('\u0015')
    await terminal.shows(/\n>$/)
    terminal.type(CTRL_C)
  })

  test('takes a paste of several lines as text, and Enter after it sends them', async () => {
    const { terminal, cluster } = await opened()
    terminal.type('\u001b[200~one\rtwo\r')
    terminal.type('\r')
    terminal.type('\u0003three\u001b[201~')
    await terminal.shows('> one\n  two\n\n  three')
    expect(cluster.asked).toEqual([])
    terminal.type('\r')
    await vi.waitFor(() => expect(cluster.asked[0]?.question).toBe('one\ntwo\n\nthree'))
    cluster.send(done())
    await terminal.shows('Sources:')
    terminal.type(CTRL_C)
  })

  test('is kept while an answer runs, and not sent', async () => {
    const { terminal, cluster } = await opened()
    terminal.type('one\r')
    await terminal.shows('asking ...')
    terminal.type('two\r')
    await terminal.shows(/> two$/)
    cluster.send(done())
    await terminal.shows(/Sources:[\s\S]*> two$/)
    expect(cluster.asked.length).toBe(1)
    terminal.type(CTRL_C)
    await terminal.shows(/\n>$/)
    terminal.type('\u001b[A')
    await terminal.shows(/> one$/)
    terminal.type(CTRL_C + CTRL_C)
  })
})
