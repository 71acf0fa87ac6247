import { describe, expect, test, vi } from 'vitest'
import { inProcessBus } from '../../../src/runtime/bus/in-process.ts'
import { matches } from '../../../src/runtime/bus/topic.ts'
import { busContract } from './contract.ts'

const message = (id: string, priority = 1) => ({ id, priority, body: { id } })

describe('the bus in process', () => {
  busContract(async () => inProcessBus())

  test('is bounded: past ten thousand waiting messages a publish is refused', async () => {
    const bus = inProcessBus()
    const stop = await bus.consume('q', 1, async () => 'ack')
    await stop()
    const messages = Array.from({ length: 10_001 }, (_, i) => ({ id: String(i), priority: 0, body: {} }))
    const fates = await bus.publish('q', messages)
    expect(fates.filter(f => f === 'stored').length).toBe(10_000)
    expect(fates.at(-1)).toBe('refused')
  })

  test('higher priority is handed out first, equal ones in the order they came', async () => {
    const bus = inProcessBus()
    const got: string[] = []
    let open = () => {}
    let taken = false
    const gate = new Promise<void>(resolve => {
      open = resolve
    })
    await bus.consume('q', 1, async d => {
      taken = true
      if (d.id === 'first') await gate
      got.push(d.id)
      return 'ack'
    })
    await bus.publish('q', [message('first')])
    await vi.waitFor(() => expect(taken).toBe(true))
    await bus.publish('q', [message('low', 0), message('mid1', 1), message('high', 2), message('mid2', 1)])
    open()
    await vi.waitFor(() => expect(got).toEqual(['first', 'high', 'mid1', 'mid2', 'low']))
  })
})

test('topic patterns: a star is one word, a hash any number', () => {
  expect(matches('a.*.c', 'a.b.c')).toBe(true)
  expect(matches('a.*', 'a.b.c')).toBe(false)
  expect(matches('a.#', 'a')).toBe(true)
  expect(matches('a.#.d', 'a.b.c.d')).toBe(true)
  expect(matches('a.b', 'a.c')).toBe(false)
  expect(matches('#', 'a.b')).toBe(true)
})
