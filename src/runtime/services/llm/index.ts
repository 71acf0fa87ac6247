import { type AskAnswer, ask, embed, type Frame } from '../../../contracts/ask.ts'
import { LlmConfig } from '../../../contracts/config.ts'
import { searchKb } from '../../../contracts/kb.ts'
import { listModels, pullModel, removeModel } from '../../../contracts/models.ts'
import { Refusal } from '../../refusal.ts'
import { handle } from '../../server/handle.ts'
import { sendLines } from '../../server/lines.ts'
import { offer } from '../../server/offer.ts'
import type { Service } from '../../service.ts'
import { answer } from './answer.ts'
import { embedTexts } from './embed.ts'
import { Knowledge } from './knowledge.ts'
import { Line } from './line.ts'
import { models, remove } from './models.ts'
import { OutputFilters } from './output.ts'
import type { Parts } from './parts.ts'
import { RequestLog } from './request-log.ts'
import { spread } from './spread.ts'
import { Turns } from './turns.ts'
import { Workers } from './workers.ts'

/** How many questions may wait for a worker, and how long. */
const QUEUE = { most: 500, waitSeconds: 60 }

/** Interactive answers: input, context, inference, output, response; each stage a file of that name. */
export const llm: Service<LlmConfig> = {
  name: 'llm',
  config: LlmConfig,
  callers: ['gateway', 'executor', 'task'],
  verifies: true,
  async setup(app, deps) {
    const workers = new Workers(deps)
    const { most, waitSeconds } = deps.config.queue ?? QUEUE
    const line = new Line({ room: workers, most, waitMs: waitSeconds * 1000, metrics: deps.metrics })
    workers.changed = () => line.pump()
    const parts: Parts = {
      calls: deps.calls,
      log: deps.log,
      workers,
      line,
      knowledge: new Knowledge(deps.calls, workers),
      filters: new OutputFilters(deps.config.filters, deps.metrics),
      requestLog: new RequestLog(deps.config.requestLog),
      turns: new Turns(deps),
      maxAnswerChars: deps.config.maxAnswerChars,
    }
    const { verify } = deps

    offer(app, ask, verify, async ({ body, who, hop }) => {
      const frames = answer(body, { who, hop, parts })
      return body.stream ? frames : whole(frames)
    })
    offer(app, embed, verify, ({ body, who, hop }) => embedTexts(body, { who, hop, parts }))
    offer(app, searchKb, verify, ({ body, hop }) => parts.knowledge.search(body, hop))
    handle(app, listModels, verify, async ({ who }) => models(workers, who))
    handle(app, pullModel, verify, async ({ body, hop, reply }) => {
      await sendLines(reply, spread(body, { workers, calls: deps.calls, hop }), hop.requestId)
      return undefined
    })
    handle(app, removeModel, verify, ({ params, query, hop }) =>
      remove({ name: params['*'], keep: query.keep }, { workers, calls: deps.calls, hop }),
    )

    workers.start()
    return {
      ready: () => workers.missing(),
      notes: () => workers.notes(),
      facts: () => workers.facts(),
      stop: async () => {
        line.close()
        await workers.stop()
        parts.turns.stop()
        parts.requestLog.close()
      },
    }
  },
}

/** The last frame of a stream that nobody watches. */
async function whole(frames: AsyncIterable<Frame>): Promise<AskAnswer> {
  for await (const frame of frames) if (frame.type === 'done') return frame.answer
  throw new Refusal(502, 'cut', 'The answer ended before it was complete.')
}
