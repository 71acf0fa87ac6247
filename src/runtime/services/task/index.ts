import { TaskConfig } from '../../../contracts/config.ts'
import * as routes from '../../../contracts/tasks.ts'
import { loadKinds } from '../../kinds/index.ts'
import { RemoteRecords } from '../../records-client.ts'
import { handle } from '../../server/handle.ts'
import { sendLines } from '../../server/lines.ts'
import type { Service } from '../../service.ts'
import { Fence } from '../../tasks/fence.ts'
import { ModelReader } from './by-model.ts'
import { cancelTask } from './cancel.ts'
import { Dispatcher } from './dispatcher.ts'
import { Executors } from './executors.ts'
import { listTasks } from './list.ts'
import type { Parts } from './parts.ts'
import { Reaper } from './reaper.ts'
import { showTask } from './show.ts'
import { retryTask, submitTask } from './submit.ts'
import { moveDue } from './waiting.ts'
import { watchTask } from './watch.ts'

const LIST_LIMIT = 50

/** Accepts tasks, hands them out in fair order and sees to it that each reaches exactly one final end. */
export const task: Service<TaskConfig> = {
  name: 'task',
  config: TaskConfig,
  callers: ['gateway', 'executor'],
  verifies: true,
  async setup(app, { calls, bus, log, metrics, verify }) {
    const records = new RemoteRecords(calls)
    const kinds = new Map((await loadKinds()).map(k => [k.name, k]))
    const parts: Parts = { records, fence: new Fence(records), bus, log, calls, kinds }
    const executors = new Executors()
    const dispatcher = new Dispatcher({ ...parts, executors })
    const reader = new ModelReader(parts)
    const accepted = metrics.counter('llmagentos_tasks_accepted_total', 'Tasks stored', ['kind'])
    const backlog = metrics.gauge('llmagentos_tasks_waiting', 'Tasks that wait for an executor')
    await dispatcher.start()
    const stops = [moveDue(parts), new Reaper({ ...parts, executors }).start(), () => dispatcher.stop()]
    const measure = setInterval(() => backlog.set(dispatcher.waiting), 5_000).unref()

    handle(app, routes.submitTask, verify, async ({ body, who, hop, req }) => {
      const key = req.headers['idempotency-key'] as string | undefined
      const byModel = (text: string) => reader.read(text, who, hop)
      const done = await submitTask({ ...parts, dispatcher, who, body, key, byModel }, hop)
      if (done.task) accepted.inc({ kind: done.task.kind })
      return done
    })
    handle(app, routes.listTasks, verify, ({ query, who, hop }) =>
      listTasks({ records, user: who.user, ...query, limit: query.limit ?? LIST_LIMIT }, hop),
    )
    handle(app, routes.showTask, verify, ({ params, who, hop }) =>
      showTask({ records, dispatcher, user: who.user, id: params.id }, hop),
    )
    handle(app, routes.watchTask, verify, async ({ params, who, hop, reply }) => {
      const frames = watchTask({ records, dispatcher, bus, user: who.user, id: params.id }, hop)
      await sendLines(reply, frames, hop.requestId)
      return undefined
    })
    handle(app, routes.cancelTask, verify, ({ params, who, hop }) =>
      cancelTask({ ...parts, user: who.user, id: params.id }, hop),
    )
    handle(app, routes.retryTask, verify, ({ params, who, hop }) =>
      retryTask({ ...parts, dispatcher, who, id: params.id }, hop),
    )
    handle(app, routes.listKinds, verify, async () => ({
      kinds: [...kinds.values()].map(({ name, summary, params, examples }) => ({
        name,
        summary,
        params,
        examples: examples.map(e => e.text),
      })),
    }))
    handle(app, routes.executorBeat, verify, async ({ body, hop }) => {
      executors.beat(body)
      void dispatcher
        .fill()
        .catch(thrown => log.warn({ err: thrown }, 'dispatching failed; it is tried again'))
      const ends = await Promise.all(body.running.map(a => parts.fence.ended(a, hop)))
      return { stop: body.running.filter((_, i) => ends[i]) }
    })

    return {
      ready: () => [],
      async stop() {
        clearInterval(measure)
        await Promise.all(stops.map(stop => stop()))
      },
    }
  },
}
