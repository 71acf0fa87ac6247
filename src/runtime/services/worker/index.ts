import { WorkerConfig } from '../../../contracts/config.ts'
import {
  type GenerateRequest,
  generate,
  type WorkerFrame,
  workerEmbed,
  workerPull,
  workerRemoveModel,
  workerState,
} from '../../../contracts/worker.ts'
import { type Stop, stopOf } from '../../cancel.ts'
import { handle } from '../../server/handle.ts'
import { sendLines } from '../../server/lines.ts'
import { offer } from '../../server/offer.ts'
import type { Deps, Running, Service } from '../../service.ts'
import { Admission, type Place } from './admission.ts'
import { type Engines, openEngines } from './choose-backend.ts'
import { StateFeed } from './feed.ts'
import { Figures } from './figures.ts'

/** Makes text: fronts one Ollama, or quotes documents where there is none. */
export const worker: Service<WorkerConfig> = {
  name: 'worker',
  config: WorkerConfig,
  callers: ['llm'],
  verifies: false,
  async setup(app, deps) {
    const { config, verify } = deps
    const feed = new StateFeed()
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
    const figures = new Figures(deps.metrics, admission)

    offer(app, generate, verify, async ({ body, hop }) =>
      answer({ body, stop: stopOf(hop), engines, admission, figures, atOllama }),
    )
    offer(app, workerState, verify, async ({ hop }) =>
      feed.states(() => stateOf(config, engines, admission), hop.signal),
    )
    offer(app, workerEmbed, verify, ({ body, hop }) => engines.embed(body, { signal: hop.signal }))
    handle(app, workerPull, verify, async ({ body, hop, reply }) => {
      await sendLines(reply, engines.pull(body.name, { signal: hop.signal }), hop.requestId)
      return undefined
    })
    handle(app, workerRemoveModel, verify, async ({ params, hop }) => {
      await engines.removeModel(params['*'], { signal: hop.signal })
      return { removed: params['*'] }
    })

    return running(deps, { engines, admission, feed })
  },
}

function stateOf(config: WorkerConfig, engines: Engines, admission: Admission) {
  const { engine, defaultModel, note } = engines.current()
  return {
    name: config.name,
    engine,
    slots: admission.slots,
    running: admission.running,
    queued: admission.queued,
    models: engines.models(),
    defaultModel,
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

function running(
  _deps: Deps<WorkerConfig>,
  o: { engines: Engines; admission: Admission; feed: StateFeed },
): Running {
  return {
    ready: () => o.engines.current().missing,
    notes: () => [o.engines.current().note].filter(n => n !== undefined),
    async stop(deadlineMs) {
      o.feed.close()
      await o.admission.close(deadlineMs)
      await o.engines.close()
    },
  }
}
