import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { AmqpConfig } from '../../src/contracts/bus.ts'
import { amqpBus } from '../../src/runtime/bus/amqp/index.ts'
import type { Bus } from '../../src/runtime/bus/index.ts'
import {
  type Brokers,
  freezeBroker,
  killBroker,
  seenBy,
  startBroker,
  startBrokers,
  stopBroker,
  united,
} from './bus/brokers.ts'
import { recorder, Traffic, until } from './bus/traffic.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

describe.each(SUITES)('three brokers of %s', suite => {
  let lab: Lab
  let brokers: Brokers
  const opened: Bus[] = []

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 3 })
    brokers = await startBrokers(lab)
  })
  afterEach(() => Promise.all(opened.splice(0).map(bus => bus.close())))
  afterAll(() => lab?.close())

  test('each killed in turn: nothing that was stored is lost, and all goes on', async () => {
    const { traffic, buses } = await busy()
    for (const node of brokers.nodes) {
      await killBroker(node)
      await traffic.stored(100)
      await startBroker(node)
      await united(brokers.nodes)
    }
    await over(traffic, 'killed', buses)
  })

  test('each frozen in turn: publishes are answered, and all goes on at the others', async () => {
    const { traffic, buses } = await busy()
    for (const node of brokers.nodes) {
      await freezeBroker(node, true)
      await traffic.stored(100)
      await freezeBroker(node, false)
      await united(brokers.nodes)
    }
    await over(traffic, 'frozen', buses)
  })

  test('each cut off in turn: all goes on at the others', async () => {
    const { traffic, buses } = await busy()
    for (const node of brokers.nodes) {
      node.cut()
      await traffic.stored(100)
      const other = brokers.nodes.find(n => n !== node)!
      await until(async () => expect((await seenBy(other))?.running).toBe(brokers.nodes.length - 1))
      await traffic.stored(100)
      node.heal()
      await united(brokers.nodes)
    }
    await over(traffic, 'cut off', buses)
  })

  test('all of them gone: refused at once, and consumed again once they are back', async () => {
    const { traffic, buses } = await busy()
    await Promise.all(brokers.nodes.map(stopBroker))
    await until(() => expect(buses.map(bus => bus.state())).toEqual(buses.map(() => 'down')))
    const before = traffic.count('refused')
    await until(() => expect(traffic.count('refused')).toBeGreaterThan(before + 5))
    await Promise.all(brokers.nodes.map(startBroker))
    await united(brokers.nodes)
    await traffic.stored(50)
    await over(traffic, 'all gone', buses)
  })

  test('a queue that is deleted is made again by its consumers', async () => {
    const log = recorder()
    const config = brokers.config()
    const { traffic, buses } = await busy({ config, log })
    await traffic.stored(20)
    await brokers.nodes[0]!.run(`rabbitmqctl -q delete_queue ${config.cluster}.q`)
    await until(() => expect(log.said).toContain('the queue q was deleted; it is made again'))
    await traffic.stored(50)
    await traffic.settle()
    expect(buses.map(bus => bus.state())).toEqual(buses.map(() => 'up'))
  })

  test('short of memory: publishes are refused and not left hanging, what waits is still consumed', async () => {
    const { traffic, buses } = await busy()
    await traffic.stored(20)
    const limit = (value: string) =>
      brokers.nodes[0]!.run(`rabbitmqctl -q set_vm_memory_high_watermark ${value}`)
    await limit('absolute 1MB')
    const before = traffic.count('refused')
    await until(() => expect(traffic.count('refused')).toBeGreaterThan(before + 20))
    expect(buses[0]!.state()).toBe('down')
    await until(() => expect(traffic.missing()).toEqual([]))
    await limit('0.6')
    await until(() => expect(buses[0]!.state()).toBe('up'))
    await traffic.stored(50)
    await over(traffic, 'in alarm', buses)
  })

  test('a wrong password and a foreign authority are named, and a file put right is enough', async () => {
    const log = recorder()
    const good = brokers.config()
    const passwordFile = join(lab.folder, 'other-password')
    writeFileSync(passwordFile, 'wrong')
    const bus = await open({ ...good, passwordFile }, log)
    expect(bus.state()).toBe('down')
    expect(log.said.join('\n')).toContain('ACCESS_REFUSED')
    const foreign = recorder()
    const tls = { ca: '/etc/ssl/certs/ca-certificates.crt' }
    expect((await open({ ...good, tls }, foreign)).state()).toBe('down')
    expect(foreign.said.join('\n')).toMatch(/self.signed certificate|unable to (get|verify)/)
    brokers.putPassword(passwordFile)
    await until(() => expect(bus.state()).toBe('up'))
  })

  test('a frozen broker holds up neither a stop nor a close', async () => {
    const bus = await open(brokers.config())
    const stop = await bus.consume('q', 1, async () => 'ack')
    await Promise.all(brokers.nodes.map(node => freezeBroker(node, true)))
    await stop()
    await bus.close()
    opened.splice(opened.indexOf(bus), 1)
    await Promise.all(brokers.nodes.map(node => freezeBroker(node, false)))
    await united(brokers.nodes)
  })

  async function open(config: AmqpConfig, log = recorder()): Promise<Bus> {
    const bus = await amqpBus(config, { log })
    opened.push(bus)
    return bus
  }

  async function busy({ config = brokers.config(), log = recorder() } = {}) {
    const buses = [await open(config, log), await open(config, log), await open(config, log)] as const
    const [from, ...to] = buses
    const traffic = await Traffic.start({ from, to, queue: 'q' })
    await traffic.stored(20)
    return { traffic, buses }
  }

  async function over(traffic: Traffic, what: string, buses: readonly Bus[]): Promise<void> {
    await traffic.stop()
    process.stdout.write(`${suite} (${brokers.version}), ${what}: ${traffic}\n`)
    await until(() => expect(buses.map(bus => bus.state())).toEqual(buses.map(() => 'up')))
  }
})
