import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { BusConfig } from '../../../src/contracts/bus.ts'
import type { ServiceName } from '../../../src/contracts/identity.ts'
import { deliveriesOf } from '../../../src/runtime/bus/amqp/consumer.ts'
import { amqpBus } from '../../../src/runtime/bus/amqp/index.ts'
import { connectionOptions, pauseBefore } from '../../../src/runtime/bus/amqp/options.ts'
import { deadQueue, eventsQueue, namesOf, workQueue } from '../../../src/runtime/bus/amqp/topology.ts'
import { Window } from '../../../src/runtime/bus/amqp/window.ts'
import { within } from '../../../src/runtime/bus/amqp/within.ts'
import { withBusNote } from '../../../src/runtime/bus/note.ts'
import { workPattern, workTopic } from '../../../src/runtime/bus/route.ts'
import { matches } from '../../../src/runtime/bus/topic.ts'
import { freePort } from '../../helpers/cluster.ts'
import { tempFolder } from '../../helpers/temp.ts'

const names = namesOf('lab')

test('every name on the broker begins with that of the cluster and a dot', () => {
  const all = [names.work, names.events, names.dead, names.queue('ready.llm'), names.eventsOf('a1')]
  expect(all.filter(name => !name.startsWith('lab.'))).toEqual([])
})

test('work queues are quorum queues that refuse when full and lose no dead letter', () => {
  expect(workQueue(names, 'ready.llm')).toMatchObject({
    queue: 'lab.ready.llm',
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': 'lab.dead',
      'x-dead-letter-strategy': 'at-least-once',
      'x-delivery-limit': 100,
    },
  })
})

test('a queue waits for a job longer than any may take', () => {
  expect(workQueue(names, 'q').arguments['x-consumer-timeout']).toBeGreaterThan(12 * 3_600_000)
})

test('the queue of dead letters never refuses one, and that of events goes with its connection', () => {
  expect(deadQueue(names).arguments['x-overflow']).toBe('drop-head')
  expect(eventsQueue(names, 'a1')).toMatchObject({ exclusive: true, autoDelete: true, durable: false })
})

test('the pause before a try doubles up to five seconds, half of it by chance', () => {
  expect([1, 2, 3].map(n => pauseBefore(n, 1))).toEqual([100, 200, 400])
  expect(pauseBefore(50, 1)).toBe(5_000)
  expect(pauseBefore(50, 0)).toBe(2_500)
})

test('deliveries are counted from one, also where the broker says nothing or nonsense', () => {
  expect(deliveriesOf({})).toBe(1)
  expect(deliveriesOf({ headers: { 'x-delivery-count': 2 } })).toBe(3)
  expect(deliveriesOf({ headers: { 'x-delivery-count': 'many' } })).toBe(1)
})

test('password and certificates are read from their files for each connection', () => {
  const folder = tempFolder()
  const passwordFile = join(folder, 'password')
  const ca = join(folder, 'ca.pem')
  const broker = { host: 'n1', port: 5671 }
  const config = { cluster: 'lab', brokers: [broker], user: 'task', passwordFile, tls: { ca } }
  writeFileSync(ca, 'certificate')
  for (const password of ['first', 'second']) {
    writeFileSync(passwordFile, `${password}\n`)
    expect(connectionOptions(config, broker, { name: 'test' })).toMatchObject({
      ...{ hostname: 'n1', port: 5671, username: 'task', password, noDelay: true, vhost: '/' },
      tls: { ca: Buffer.from('certificate') },
    })
  }
})

test('a window lets in so many, the others in the order they came, and none for longer than they would wait', async () => {
  const window = new Window(1)
  const order: string[] = []
  expect(await window.take(0)).toBe(true)
  const waiting = ['a', 'b'].map(async name => {
    expect(await window.take(60_000)).toBe(true)
    order.push(name)
  })
  expect(await window.take(1)).toBe(false)
  window.give()
  window.give()
  await Promise.all(waiting)
  expect(order).toEqual(['a', 'b'])
  window.give()
  expect(await window.take(0)).toBe(true)
})

test('what is late or throws is undefined', async () => {
  expect(await within(1, new Promise(() => {}))).toBe(undefined)
  expect(await within(60_000, Promise.reject(new Error('a fault')))).toBe(undefined)
  expect(await within(60_000, Promise.resolve(1))).toBe(1)
})

test('names of models make one word of a topic each, and none is taken for a pattern', () => {
  expect(workTopic({ kind: 'ask', model: 'llama3.2:1b' })).toBe('work.ask.llama3%2E2%3A1b.-')
  expect(matches(workPattern({ model: 'llama3.2:1b' }), workTopic({ model: 'llama3.2:1b' }))).toBe(true)
  expect(matches(workPattern({ model: '*' }), workTopic({ model: 'llama3' }))).toBe(false)
  expect(matches(workPattern({ worker: '-' }), workTopic({ kind: 'ask' }))).toBe(false)
  expect(workTopic({ worker: 'a#b*c' })).toBe('work.-.-.a%23b%2Ac')
})

test('the config of a process takes a bus in process or one on brokers, and nothing else', () => {
  const valid = (config: unknown) => new Ajv().validate(BusConfig, config)
  const amqp = {
    cluster: 'lab',
    brokers: [{ host: 'n1', port: 5671 }],
    user: 'task',
    passwordFile: '/run/password',
  }
  expect(valid('in-process')).toBe(true)
  expect(valid({ amqp })).toBe(true)
  expect(valid({ amqp: { ...amqp, brokers: [] } })).toBe(false)
  expect(valid({ amqp: { ...amqp, cluster: 'a.b' } })).toBe(false)
  expect(valid({ amqp: { ...amqp, password: 'in the file' } })).toBe(false)
})

test('with no broker there a bus opens all the same, takes nothing, and says so', async () => {
  const passwordFile = join(tempFolder(), 'password')
  writeFileSync(passwordFile, 'any')
  const brokers = [{ host: '127.0.0.1', port: await freePort() }]
  const bus = await amqpBus({ cluster: 'lab', brokers, user: 'task', passwordFile })
  expect(bus.state()).toBe('down')
  expect(await bus.publish('q', [{ id: 'a', priority: 0, body: {} }])).toEqual(['refused'])
  bus.emit('t', {})
  const serving = { ready: () => [], stop: async () => {} }
  const notes = (name: ServiceName) => withBusNote(serving, { name, bus }).notes?.() ?? []
  expect(notes('task')).toEqual(['No broker takes messages: tasks are accepted and wait.'])
  expect(notes('auth')).toEqual([])
  const stops = [await bus.listen('t', () => {}), await bus.consume('q', 1, async () => 'ack')]
  await Promise.all(stops.map(stop => stop()))
  await bus.close()
})
