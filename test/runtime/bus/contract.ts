import { afterEach, expect, test, vi } from 'vitest'
import type { Bus, Delivery } from '../../../src/runtime/bus/index.ts'
import { type Work, workPattern, workTopic } from '../../../src/runtime/bus/route.ts'

/** A broker on a busy machine takes its time; whoever is quick is waited for no longer. */
const until = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 10 })

/** What every bus must keep, in process or on a broker. `open` gives a fresh one with no queues. */
export function busContract(open: () => Promise<Bus>): void {
  const opened: Bus[] = []
  const make = async () => {
    const bus = await open()
    opened.push(bus)
    return bus
  }
  afterEach(() => Promise.all(opened.splice(0).map(bus => bus.close())))

  const message = (id: string, priority = 1) => ({ id, priority, body: { id } })

  test('a message for a queue that nobody declared is unroutable', async () => {
    const bus = await make()
    expect(await bus.publish('nobody', [message('a')])).toEqual(['unroutable'])
  })

  test('what is published reaches a consumer once, with its body', async () => {
    const bus = await make()
    const got: Delivery[] = []
    await bus.consume('q', 1, async d => {
      got.push(d)
      return 'ack'
    })
    expect(await bus.publish('q', [message('a'), message('b')])).toEqual(['stored', 'stored'])
    await until(() => expect(got.map(d => d.id)).toEqual(['a', 'b']))
    expect(got[0]).toMatchObject({ body: { id: 'a' }, deliveries: 1 })
  })

  test('a consumer runs no more at a time than it has slots', async () => {
    const bus = await make()
    let running = 0
    let most = 0
    let done = 0
    await bus.consume('q', 3, async () => {
      most = Math.max(most, ++running)
      await new Promise(resolve => setTimeout(resolve, 5))
      running--
      done++
      return 'ack'
    })
    await bus.publish(
      'q',
      Array.from({ length: 20 }, (_, i) => message(String(i))),
    )
    await until(() => expect(done).toBe(20))
    expect(most).toBe(3)
  })

  test('messages are handed out in the order they came', async () => {
    const bus = await make()
    const got: string[] = []
    await bus.consume('q', 1, async d => {
      got.push(d.id)
      return 'ack'
    })
    const ids = Array.from({ length: 50 }, (_, i) => `m${i}`)
    const fates = await bus.publish(
      'q',
      ids.map(id => message(id)),
    )
    expect(new Set(fates)).toEqual(new Set(['stored']))
    await until(() => expect(got).toEqual(ids))
  })

  test('a message given back, or whose consumer threw, comes again and says how often', async () => {
    const bus = await make()
    const seen: number[] = []
    await bus.consume('q', 1, async d => {
      seen.push(d.deliveries)
      if (d.deliveries === 1) return 'back'
      if (d.deliveries === 2) throw new Error('a fault of the consumer')
      return 'ack'
    })
    await bus.publish('q', [message('a')])
    await until(() => expect(seen).toEqual([1, 2, 3]))
  })

  test('a message put away as dead does not come again', async () => {
    const bus = await make()
    const seen: string[] = []
    await bus.consume('q', 1, async d => {
      seen.push(d.id)
      return d.id === 'bad' ? { dead: 'not a task' } : 'ack'
    })
    await bus.publish('q', [message('bad'), message('good')])
    await until(() => expect(seen).toEqual(['bad', 'good']))
  })

  test('stopping waits for what runs, takes nothing new, and what waits stays', async () => {
    const bus = await make()
    const done: string[] = []
    let started = () => {}
    const running = new Promise<void>(resolve => {
      started = resolve
    })
    const stop = await bus.consume('q', 1, async d => {
      started()
      await new Promise(resolve => setTimeout(resolve, 20))
      done.push(d.id)
      return 'ack'
    })
    await bus.publish('q', [message('a'), message('b')])
    await running
    await stop()
    expect(done).toEqual(['a'])
    const later: string[] = []
    await bus.consume('q', 1, async d => {
      later.push(d.id)
      return 'ack'
    })
    await until(() => expect(later).toEqual(['b']))
  })

  test('an event reaches those whose pattern fits, until they stop listening', async () => {
    const bus = await make()
    const got: string[] = []
    const stop = await bus.listen('task.*.01A', topic => got.push(`one ${topic}`))
    await bus.listen('task.#', topic => got.push(`all ${topic}`))
    bus.emit('task.done.01A', {})
    bus.emit('task.done.01B', {})
    bus.emit('key.revoked', {})
    await until(() =>
      expect(got.toSorted()).toEqual(['all task.done.01A', 'all task.done.01B', 'one task.done.01A']),
    )
    await stop()
    bus.emit('task.done.01A', {})
    await until(() => expect(got.filter(g => g.startsWith('all')).length).toBe(3))
    expect(got.filter(g => g.startsWith('one')).length).toBe(1)
  })

  test('a listener that throws harms nobody else', async () => {
    const bus = await make()
    const got: object[] = []
    await bus.listen('t', () => {
      throw new Error('a fault of the listener')
    })
    await bus.listen('t', (_, event) => got.push(event))
    bus.emit('t', { n: 1 })
    await until(() => expect(got).toEqual([{ n: 1 }]))
  })

  test('work for a kind, a model or a worker goes to each queue that asked for it', async () => {
    const bus = await make()
    const got: string[] = []
    const take = (name: string, routes: string[]) =>
      bus.consume(
        name,
        1,
        async d => {
          got.push(`${name} ${d.id}`)
          return 'ack'
        },
        { routes },
      )
    await take('summaries', [workPattern({ kind: 'summarize' })])
    await take('llama', [workPattern({ model: 'llama3.2:1b' })])
    await take('gpu1', [workPattern({ worker: 'gpu1' })])
    const send = (id: string, work: Work) => bus.publish(workTopic(work), [message(id)])
    expect(await send('a', { kind: 'summarize', model: 'qwen' })).toEqual(['stored'])
    expect(await send('b', { kind: 'ask', model: 'llama3.2:1b', worker: 'gpu1' })).toEqual(['stored'])
    expect(await send('c', { kind: 'ask', model: 'llama3' })).toEqual(['unroutable'])
    await until(() => expect(got.toSorted()).toEqual(['gpu1 b', 'llama b', 'summaries a']))
  })

  test('each of ten listeners gets each event once', async () => {
    const bus = await make()
    const got = Array.from({ length: 10 }, (): number[] => [])
    for (const events of got) await bus.listen('n.*', (_, event) => events.push((event as { n: number }).n))
    const sent = Array.from({ length: 20 }, (_, n) => n)
    for (const n of sent) bus.emit(`n.${n}`, { n })
    await until(() => expect(got).toEqual(got.map(() => sent)))
  })
}
