import type { ServiceName } from '../../contracts/identity.ts'
import type { Running } from '../service.ts'
import type { Bus } from './index.ts'

/** Services that give or take hints. */
const ON_THE_BUS: readonly ServiceName[] = ['task', 'executor']

/** The same, and it says so where the brokers are away: it serves, for tasks are in the store, but none is handed out meanwhile. */
export function withBusNote(running: Running, o: { name: ServiceName; bus: Bus }): Running {
  if (!ON_THE_BUS.includes(o.name)) return running
  const away = () =>
    o.bus.state() === 'down' ? ['No broker takes messages: tasks are accepted and wait.'] : []
  return {
    ready: () => running.ready(),
    notes: () => [...away(), ...(running.notes?.() ?? [])],
    facts: () => running.facts?.() ?? {},
    stop: deadlineMs => running.stop(deadlineMs),
  }
}
