import { amqpBus } from '../../../src/runtime/bus/amqp/index.ts'
import type { Bus } from '../../../src/runtime/bus/index.ts'
import type { Brokers } from './brokers.ts'

const ROUND_TRIPS = 200
const MESSAGES = 3_000
const BODY = { text: 'x'.repeat(1_000) }

/** Lines of a table: publish to consumed one at a time, and messages a second with many on the way. */
export async function figures(o: { suite: string; brokers: Brokers }): Promise<string> {
  const { suite, brokers } = o
  let text = ''
  for (const noDelay of [false, true]) {
    const config = brokers.config()
    const from = await amqpBus(config, { noDelay })
    const to = await amqpBus(config, { noDelay })
    try {
      const trips = await roundTrips(from, to)
      const [p50, p99] = [0.5, 0.99].map(q => trips[Math.floor(trips.length * q)]!.toFixed(1))
      const [few, many] = [await perSecond(from, to, 16), await perSecond(from, to, 256)]
      const which = `${brokers.version} (${suite}), ${brokers.nodes.length} broker${brokers.nodes.length > 1 ? 's' : ''}`
      text += `| ${which}, noDelay ${noDelay ? 'on' : 'off'} | ${p50} | ${p99} | ${few} | ${many} |\n`
    } finally {
      await Promise.all([from.close(), to.close()])
    }
  }
  return text
}

/** ms from publish to the consumer, sorted; confirmed too. */
async function roundTrips(from: Bus, to: Bus): Promise<number[]> {
  let arrived = () => {}
  const stop = await to.consume('trips', 1, async () => {
    arrived()
    return 'ack'
  })
  const times: number[] = []
  for (let n = 0; n < ROUND_TRIPS; n++) {
    const here = new Promise<void>(resolve => {
      arrived = resolve
    })
    const began = performance.now()
    const sent = from.publish('trips', [{ id: `m${n}`, priority: 0, body: BODY }])
    await here
    times.push(performance.now() - began)
    await sent
  }
  await stop()
  return times.sort((a, b) => a - b)
}

/** Messages confirmed and consumed in a second, `atOnce` on the way. */
async function perSecond(from: Bus, to: Bus, atOnce: number): Promise<number> {
  let count = 0
  let all = () => {}
  const done = new Promise<void>(resolve => {
    all = resolve
  })
  const stop = await to.consume(`many-${atOnce}`, 64, async () => {
    if (++count === MESSAGES) all()
    return 'ack'
  })
  const began = performance.now()
  let next = 0
  const one = async () => {
    while (next < MESSAGES)
      await from.publish(`many-${atOnce}`, [{ id: `m${next++}`, priority: 0, body: BODY }])
  }
  await Promise.all([done, ...Array.from({ length: atOnce }, one)])
  const seconds = (performance.now() - began) / 1000
  await stop()
  return Math.round(MESSAGES / seconds)
}
