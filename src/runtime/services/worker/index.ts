import { WorkerConfig } from '../../../contracts/config.ts'
import {
  type GenerateRequest,
  generate,
  type WorkerFrame,
  workerBlob,
  workerEmbed,
  workerManifest,
  workerPull,
  workerRemoveModel,
  workerState,
} from '../../../contracts/worker.ts'
import { type Stop, stopOf } from '../../cancel.ts'
import { handle } from '../../server/handle.ts'
import { sendLines } from '../../server/lines.ts'
import { offer } from '../../server/offer.ts'
import type { Running, Service } from '../../service.ts'
import { Admission, type Place } from './admission.ts'
import { type Engines, openEngines } from './choose-backend.ts'
import { StateFeed } from './feed.ts'
import { Figures } from './figures.ts'
import { FreeRoom, sendBlob, sourceAt } from './hand-on.ts'

/** Makes text: fronts one Ollama, or quotes documents where there is none. */
export const worker: Service<WorkerConfig> = {
  name: 'worker',
  config: WorkerConfig,
  callers: ['llm', 'worker'],
  verifies: false,
  async setup(app, deps) {
    const { config, verify } = deps
    const feed = new StateFeed()
    const free = new FreeRoom(() => engines.shelf.freeBytes())
    const atOllama = new Set<Place>()
    const engines = await openEngines({
      config,
      log: deps.log,
      changed: () => feed.changed(),
      hangs: why => {
        for (const place of atOllama) place.refuse(why)
      },
    })
    const admission = new Admission({ slots: config.slots, changed: () => feed.changed() })
    const figures = new Figures(deps.metrics, { admission, engines })

    offer(app, generate, verify, async ({ body, hop }) =>
      answer({ body, stop: stopOf(hop), engines, admission, figures, atOllama }),
    )
    offer(app, workerState, verify, async ({ hop }) =>
      feed.states(() => stateOf({ config, engines, admission, free }), hop.signal),
    )
    offer(app, workerEmbed, verify, ({ body, hop }) => engines.embed(body, { signal: hop.signal }))
    handle(app, workerPull, verify, async ({ body, hop, reply }) => {
      const { name, from } = body
      const source = from && sourceAt(deps.calls, from, name)
      await sendLines(reply, engines.pull(name, { signal: hop.signal, source }), hop.requestId)
      return undefined
    })
    handle(app, workerManifest, verify, ({ params }) => engines.manifest(params['*']))
    handle(app, workerBlob, verify, ({ params, req, reply }) =>
      sendBlob(engines.shelf, params.digest, { range: req.headers.range, reply }),
    )
    handle(app, workerRemoveModel, verify, async ({ params, hop }) => {
      await engines.removeModel(params['*'], { signal: hop.signal })
      return { removed: params['*'] }
    })

    await free.look()
    return running({ engines, admission, feed, free })
  },
}

function stateOf({
  config,
  engines,
  admission,
  free,
}: {
  config: WorkerConfig
  engines: Engines
  admission: Admission
  free: FreeRoom
}) {
  const { engine, defaultModel, note } = engines.current()
  return {
    name: config.name,
    engine,
    slots: admission.slots,
    running: admission.running,
    queued: admission.queued,
    models: engines.models(),
    defaultModel,
    holds: engines.holds,
    ...(free.bytes !== undefined && { freeBytes: free.bytes }),
    ...(config.labels && { labels: config.labels }),
    ...(note && { note }),
  }
}

async function* answer(o: {
  body: GenerateRequest
  stop: Stop
  engines: Engines
  admission: Admission
  figures: Figures
  /** Those that wait for Ollama. */
  atOllama: Set<Place>
}): AsyncGenerator<WorkerFrame> {
  // An unknown model is refused before it costs a place in the line.
  o.engines.forModel(o.body.model)
  const place = o.admission.enter({ class: o.body.class, stop: o.stop })
  const count = o.figures.request()
  try {
    if (!place.started)
      for await (const position of place.wait()) yield { type: 'state', state: 'queued', position }
    const backend = o.engines.forModel(o.body.model)
    if (backend.name === 'ollama') o.atOllama.add(place)
    for await (const frame of backend.generate(o.body, place)) {
      count.frame(frame)
      yield frame
    }
  } catch (thrown) {
    count.failed(thrown)
    o.engines.suspect(thrown)
    throw thrown
  } finally {
    o.atOllama.delete(place)
    place.leave()
  }
}

function running(o: { engines: Engines; admission: Admission; feed: StateFeed; free: FreeRoom }): Running {
  return {
    ready: () => o.engines.current().missing,
    notes: () => [o.engines.current().note].filter(n => n !== undefined),
    async stop(deadlineMs) {
      o.feed.close()
      o.free.stop()
      await o.admission.close(deadlineMs)
      await o.engines.close()
    },
  }
}
