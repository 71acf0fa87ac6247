import { FINAL, type WatchFrame } from '../../../contracts/tasks.ts'
import type { Bus } from '../../bus/index.ts'
import type { Hop } from '../../hop.ts'
import type { Records } from '../../records.ts'
import { hear } from '../../tasks/events.ts'
import type { Dispatcher } from './dispatcher.ts'
import { findOrRefuse } from './find.ts'
import { taskOf } from './show.ts'

/** Events are hints, so the store is read at least so often. */
const LOOK_MS = 2_000

interface Asked {
  records: Records
  dispatcher: Dispatcher
  bus: Bus
  user: string
  id: string
}

/** The task now and each time it changes, until it has ended or the caller's time is over. */
export async function* watchTask(o: Asked, hop: Hop): AsyncGenerator<WatchFrame> {
  const said: WatchFrame[] = []
  let wake = () => {}
  const stir = () => wake()
  const stops = await Promise.all([
    hear(o.bus, 'queued', stir, o.id),
    hear(o.bus, 'claimed', stir, o.id),
    hear(o.bus, 'ended', stir, o.id),
    hear(
      o.bus,
      'progress',
      e => {
        said.push({ type: 'progress', text: e.text })
        wake()
      },
      o.id,
    ),
  ])
  hop.signal.addEventListener('abort', stir)
  try {
    let last = ''
    while (!hop.signal.aborted) {
      const stirred = new Promise<void>(resolve => {
        wake = resolve
      })
      const task = taskOf(await findOrRefuse(o, hop), o.dispatcher)
      yield* said.splice(0)
      const text = JSON.stringify(task)
      if (text !== last) yield { type: 'task', task }
      last = text
      if (FINAL.some(f => f === task.state)) return
      const timer = setTimeout(wake, LOOK_MS)
      await stirred
      clearTimeout(timer)
    }
  } finally {
    hop.signal.removeEventListener('abort', stir)
    await Promise.all(stops.map(stop => stop()))
  }
}
