import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { program } from '../../../assets.ts'
import { ExecutorConfig } from '../../../contracts/config.ts'
import type { TaskClass } from '../../../contracts/tasks.ts'
import { RemoteRecords } from '../../records-client.ts'
import type { Deps, Service } from '../../service.ts'
import { hear, readyQueue } from '../../tasks/events.ts'
import { startBeats } from './beats.ts'
import { Children } from './children.ts'
import { sealOlderBoots } from './older-boots.ts'
import { Supervisor } from './supervisor.ts'

/** MiB of JavaScript memory that one child may use. */
const CHILD_MEMORY_MB = 512
const STORE_AGAIN_MS = 200
/** What runs may go on for so long after a stop was asked for; then it is given back. */
const FINISH_MS = 3_000

/** Runs tasks: a supervisor that talks to broker and store, and a child process per slot that does the work as the task's user. */
export const executor: Service<ExecutorConfig> = {
  name: 'executor',
  config: ExecutorConfig,
  callers: [],
  verifies: false,
  async setup(_app, deps) {
    const { config, bus, calls, log, metrics } = deps
    const boot = randomBytes(8).toString('hex')
    const name = config.name ?? `executor-${boot}`
    const records = new RemoteRecords(calls)
    const children = new Children({ program: program('task-child'), memoryMb: CHILD_MEMORY_MB, log })
    const outcomes = metrics.counter('llmagentos_attempts_total', 'Attempts that ended here', ['outcome'])
    const supervisor = new Supervisor({
      ...{ name, boot, records, bus, calls, children, services: config.services, tls: config.tls, log },
      ended: outcome => outcomes.inc({ outcome }),
    })
    const slots = slotsOf(config)
    const stopHearing = await hear(bus, 'sealed', a => supervisor.sealed(a))
    const stops: (() => Promise<void>)[] = []
    const stopped = new AbortController()
    let started = false
    const starting = (async () => {
      if (config.name)
        await untilStored(
          signal => sealOlderBoots({ name, boot, records, bus, log, signal }),
          deps,
          stopped.signal,
        )
      for (const [c, count] of Object.entries(slots)) {
        if (stopped.signal.aborted) return
        stops.push(await bus.consume(readyQueue(c as TaskClass), count, d => supervisor.deliver(d)))
      }
      const stopBeats = startBeats({ name, boot, slots, calls, supervisor, log })
      stops.push(async () => stopBeats())
      started = true
    })()
    starting.catch(thrown => {
      if (!stopped.signal.aborted) log.error({ err: thrown }, 'the executor could not start')
    })

    return {
      ready: () => (started ? [] : ['It waits for the store, to look for what an older start left.']),
      async stop(deadlineMs) {
        stopped.abort()
        await starting.catch(() => {})
        await stopHearing()
        const done = Promise.all(stops.map(stop => stop()))
        const giveBack = setTimeout(() => supervisor.stop(), Math.min(FINISH_MS, deadlineMs / 2))
        await Promise.race([done, sleep(deadlineMs, undefined, { ref: false })])
        clearTimeout(giveBack)
        children.stop()
      },
    }
  },
}

/** Parsing and embedding are heavier on the machine than waiting for a model, so they get half. */
const slotsOf = (config: ExecutorConfig) => ({ llm: config.slots, cpu: Math.ceil(config.slots / 2) })

/** The store may still be starting; nothing is consumed before it was asked. */
async function untilStored(
  act: (signal: AbortSignal) => Promise<unknown>,
  { log }: Deps<ExecutorConfig>,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await act(signal)
      return
    } catch (thrown) {
      signal.throwIfAborted()
      log.warn({ err: thrown }, 'the store does not answer yet')
      await sleep(STORE_AGAIN_MS, undefined, { signal })
    }
  }
}
