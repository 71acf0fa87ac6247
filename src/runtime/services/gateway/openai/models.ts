import Type from 'typebox'
import { listModels, type Model } from '../../../../contracts/models.ts'
import { route } from '../../../../contracts/route.ts'
import { Refusal } from '../../../refusal.ts'
import type { Entry, Gate } from '../gate.ts'

export const modelsRoute = route({
  method: 'GET',
  path: '/v1/models',
  says: 'The models, as OpenAI lists them',
  to: 'gateway',
  scope: 'models:read',
  replies: { 200: Type.Unknown() },
})

export const modelRoute = route({
  method: 'GET',
  path: '/v1/models/*',
  says: 'One model, as OpenAI shows it',
  to: 'gateway',
  scope: 'models:read',
  params: Type.Object({ '*': Type.String() }),
  replies: { 200: Type.Unknown() },
})

export async function modelList(entry: Entry, gate: Gate): Promise<unknown> {
  return { object: 'list', data: (await all(entry, gate)).map(shape) }
}

export async function oneModel(entry: Entry, gate: Gate): Promise<unknown> {
  const wanted = (entry.req.params as { '*': string })['*']
  const found = (await all(entry, gate)).find(m => m.name === wanted)
  if (found) return shape(found)
  throw new Refusal(404, 'no_model', `There is no model ${wanted}.`, {
    next: 'GET /v1/models lists those there are.',
  })
}

async function all({ hop, admitted }: Entry, { deps }: Gate): Promise<Model[]> {
  return (await deps.calls.call(listModels, { ...hop, token: admitted.tokenFor('llm') })).models
}

const shape = (m: Model) => ({
  id: m.name,
  object: 'model',
  created: m.modified ? Math.floor(Date.parse(m.modified) / 1000) : 0,
  owned_by: m.engine,
})
