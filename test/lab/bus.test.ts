import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { amqpBus } from '../../src/runtime/bus/amqp/index.ts'
import type { Bus } from '../../src/runtime/bus/index.ts'
import { workPattern, workTopic } from '../../src/runtime/bus/route.ts'
import { busContract } from '../runtime/bus/contract.ts'
import { type Brokers, startBrokers } from './bus/brokers.ts'
import { figures } from './bus/figures.ts'
import { recorder, until } from './bus/traffic.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

describe.each(SUITES)('RabbitMQ of %s', suite => {
  let lab: Lab
  let one: Brokers
  let three: Brokers
  const opened: Bus[] = []

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 4 })
    const [first, ...others] = lab.nodes
    ;[one, three] = await Promise.all([startBrokers(lab, [first!]), startBrokers(lab, others)])
  })
  afterEach(() => Promise.all(opened.splice(0).map(bus => bus.close())))
  afterAll(() => lab?.close())

  describe('one broker', () => {
    busContract(() => amqpBus(one.config()))
  })

  describe('three brokers', () => {
    busContract(() => amqpBus(three.config()))

    test('each of ten processes that listen gets each event once', async () => {
      const [from, ...to] = await processes(11)
      const got = to.map((): number[] => [])
      for (const [i, bus] of to.entries())
        await bus.listen('task.*.#', (_, event) => got[i]!.push((event as { n: number }).n))
      const sent = Array.from({ length: 100 }, (_, n) => n)
      for (const n of sent) from!.emit(`task.ended.${n}`, { n })
      await until(() => expect(got).toEqual(got.map(() => sent)))
    })

    test('work is shared by the processes that consume, each message once', async () => {
      const [from, ...to] = await processes(4)
      const got = to.map((): string[] => [])
      for (const [i, bus] of to.entries())
        await bus.consume('ready.llm', 2, async d => {
          got[i]!.push(d.id)
          await new Promise(resolve => setTimeout(resolve, 2))
          return 'ack'
        })
      const ids = Array.from({ length: 300 }, (_, n) => `m${n}`)
      const fates = await from!.publish('ready.llm', ids.map(messageOf))
      expect(new Set(fates)).toEqual(new Set(['stored']))
      await until(() => expect(got.flat().length).toBeGreaterThanOrEqual(300))
      expect(got.flat().toSorted()).toEqual(ids.toSorted())
      expect(Math.min(...got.map(ids => ids.length))).toBeGreaterThan(0)
    })

    test('work finds the process that takes its kind, its model or its worker', async () => {
      const [from, ...to] = await processes(4)
      const wants = [{ kind: 'summarize' }, { model: 'llama3.2:1b' }, { worker: 'gpu1' }]
      const got: string[] = []
      for (const [i, bus] of to.entries())
        await bus.consume(
          `for-${i}`,
          1,
          async d => {
            got.push(`${i} ${d.id}`)
            return 'ack'
          },
          { routes: [workPattern(wants[i]!)] },
        )
      const send = (id: string, work: object) => from!.publish(workTopic(work), [messageOf(id)])
      expect(await send('a', { kind: 'summarize', model: 'qwen' })).toEqual(['stored'])
      expect(await send('b', { kind: 'ask', model: 'llama3.2:1b' })).toEqual(['stored'])
      expect(await send('c', { kind: 'ask', model: 'qwen', worker: 'gpu1' })).toEqual(['stored'])
      expect(await send('d', { kind: 'ask', model: 'qwen', worker: 'gpu2' })).toEqual(['unroutable'])
      await until(() => expect(got.toSorted()).toEqual(['0 a', '1 b', '2 c']))
    })

    test('what is dead, or was given back too often, waits in the queue of dead letters', async () => {
      const config = three.config()
      const bus = await open(config)
      let tries = 0
      await bus.consume('q', 1, async d => {
        if (d.id === 'dead') return { dead: 'it names nothing' }
        tries++
        throw new Error('always')
      })
      await bus.publish('q', [messageOf('dead')])
      await until(() => expect(deadOf(config.cluster)).resolves.toBe(1))
      // A policy may lower our limit: a hundred times would take minutes.
      const policy = `rabbitmqctl -q set_policy few '^${config.cluster}\\.q$' '{"delivery-limit": 2}'`
      await three.nodes[0]!.run(policy)
      await bus.publish('q', [messageOf('poison')])
      await until(() => expect(deadOf(config.cluster)).resolves.toBe(2))
      expect(tries).toBe(3)
      const list = `rabbitmqctl -q list_queues name arguments --no-table-headers | grep '^${config.cluster}.q'`
      const settings = await three.nodes[0]!.run(list)
      for (const part of ['x-delivery-limit', 'x-dead-letter-strategy', 'at-least-once', 'reject-publish'])
        expect(settings).toContain(part)
    })

    test('a full queue refuses, and takes again once there is room', async () => {
      const bus = await open(three.config())
      const stop = await bus.consume('q', 1, async () => 'ack')
      await stop()
      const many = Array.from({ length: 10_500 }, (_, n) => messageOf(`m${n}`))
      const fates = await bus.publish('q', many)
      expect(fates).toContain('refused')
      expect(fates.filter(f => f === 'stored').length).toBeGreaterThanOrEqual(10_000)
      await bus.consume('q', 200, async () => 'ack')
      await until(() => expect(bus.publish('q', [messageOf('z')])).resolves.toEqual(['stored']))
    })

    test('a queue with other settings is used as it is', async () => {
      const config = three.config()
      const log = recorder()
      const bus = await open(config, log)
      const queue = `${config.cluster}.q`
      await three.nodes[0]!.run(
        `rabbitmqctl -q eval 'rabbit_amqqueue:declare(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>), true, false, [{<<"x-queue-type">>, longstr, <<"quorum">>}], none, <<"lab">>).'`,
      )
      const got: string[] = []
      await bus.consume('q', 1, async d => {
        got.push(d.id)
        return 'ack'
      })
      await until(() => expect(bus.publish('q', [messageOf('a')])).resolves.toEqual(['stored']))
      await until(() => expect(got).toContain('a'))
      expect(log.said.join('\n')).toContain('PRECONDITION_FAILED')
    })

    test('what a round trip takes, with and without noDelay, is printed', async () => {
      for (const brokers of [one, three]) process.stdout.write(await figures({ suite, brokers }))
    })
  })

  async function open(config = three.config(), log = recorder()): Promise<Bus> {
    const bus = await amqpBus(config, { log })
    opened.push(bus)
    return bus
  }

  function processes(count: number): Promise<Bus[]> {
    const config = three.config()
    return Promise.all(Array.from({ length: count }, () => open(config)))
  }

  async function deadOf(cluster: string): Promise<number> {
    const list = 'rabbitmqctl -q list_queues name messages --no-table-headers'
    const line = (await three.nodes[0]!.run(list)).split('\n').find(l => l.startsWith(`${cluster}.dead\t`))
    return Number(line?.split('\t')[1])
  }
})

const messageOf = (id: string) => ({ id, priority: 0, body: { id } })
