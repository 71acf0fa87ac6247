import type { BusConfig } from '../../contracts/bus.ts'
import type { Log } from '../../log.ts'
import { inProcessBus } from './in-process.ts'
import type { Bus } from './index.ts'

/** The bus that the config of a process names; `name` is shown by the broker. Waits for a broker a moment, and goes on without. */
export async function openBus(config: BusConfig = 'in-process', o: { log: Log; name: string }): Promise<Bus> {
  if (config === 'in-process') return inProcessBus({ log: o.log })
  const { amqpBus } = await import('./amqp/index.ts')
  return amqpBus(config.amqp, o)
}
