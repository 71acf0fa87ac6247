import type { FastifyInstance } from 'fastify'
import type { Route } from '../../../../contracts/route.ts'
import type { Entry, Gate } from '../gate.ts'
import { enter } from '../public.ts'
import { chat, chatRoute } from './chat.ts'
import { completion, completionRoute } from './completions.ts'
import { embeddings, embeddingsRoute } from './embeddings.ts'
import { openAiErrors } from './errors.ts'
import { modelList, modelRoute, modelsRoute, oneModel } from './models.ts'

export const openAiRoutes: Route[] = [chatRoute, completionRoute, embeddingsRoute, modelsRoute, modelRoute]

/** OpenAI's API under /v1, for the clients that speak it; each route translates to and from the native one. */
export function addOpenAi(app: FastifyInstance, gate: Gate): void {
  app.register(async v1 => {
    openAiErrors(v1)
    const add = (route: Route, run: (entry: Entry, gate: Gate) => Promise<unknown>) =>
      enter(v1, route, gate, entry => run(entry, gate))
    add(chatRoute, chat)
    add(completionRoute, completion)
    add(embeddingsRoute, embeddings)
    add(modelsRoute, modelList)
    add(modelRoute, oneModel)
  })
}
