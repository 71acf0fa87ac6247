import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { Ajv, type ValidateFunction } from 'ajv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publicRoutes } from '../../src/contracts/public-routes.ts'
import type { Route } from '../../src/contracts/route.ts'
import { chatRoute } from '../../src/runtime/services/gateway/openai/chat.ts'
import { completionRoute } from '../../src/runtime/services/gateway/openai/completions.ts'
import { embeddingsRoute } from '../../src/runtime/services/gateway/openai/embeddings.ts'
import { modelRoute } from '../../src/runtime/services/gateway/openai/models.ts'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { bodyOf, nameOf, pathFor } from './requests.ts'
import { random, wrongTexts, wrongValues } from './wrong-values.ts'

const SEED = Number(process.env['SEED'] ?? 1)
const routes: Route[] = [...publicRoutes, chatRoute, completionRoute, embeddingsRoute, modelRoute]
const ajv = new Ajv({ strict: false })

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(async () => {
  const { code } = await cluster.run('cluster', 'status')
  await cluster.stop()
  expect(code).toBe(0)
})

describe(`no field makes a service fail (SEED=${SEED})`, () => {
  const withBody = routes.filter(r => r.body && !r.upload)
  test('every route with a body has one here', () => {
    expect(withBody.filter(r => !bodyOf(r)).map(nameOf)).toEqual([])
  })

  test.each(withBody.map(r => [nameOf(r), r] as const))('body of %s', async (_name, route) => {
    const body = bodyOf(route)!
    const valid = ajv.compile(route.body!)
    const bodies = placesOf(body).flatMap(place =>
      [...wrongValues(), random(SEED)].map(wrong => changed(body, place, wrong)),
    )
    await each(bodies, one => check(route, { path: pathFor(route), body: one, valid }))
  })

  const withParams = routes.filter(r => r.params)
  test.each(withParams.map(r => [nameOf(r), r] as const))('address of %s', async (_name, route) => {
    const valid = ajv.compile(route.params!)
    for (const name of namesOf(route.params!))
      await each(wrongTexts(), async wrong => {
        const path = pathFor(route, { [name]: wrong })
        const { status, body } = await sent(route, path, bodyOf(route))
        expect(status, `${path} ${body}`).toBeLessThan(500)
        const others = Object.fromEntries(namesOf(route.params!).map(n => [n, 'a']))
        const part = wrong.split('/').some(s => ['', '.', '..'].includes(s))
        if (part || !valid({ ...others, [name]: wrong }))
          expect(status, `${path} ${body}`).toBeGreaterThanOrEqual(400)
      })
  })

  const withQuery = routes.filter(r => r.query)
  test.each(withQuery.map(r => [nameOf(r), r] as const))('query of %s', async (_name, route) => {
    const texts = [...wrongTexts(), '1', 'true', '-1', '1.5', '1e3', '0x10', '9'.repeat(30), 'NaN']
    for (const name of namesOf(route.query!)) {
      await each(texts, async wrong => {
        const once = `${name}=${encodeURIComponent(wrong)}`
        const { status, body } = await sent(route, `${pathFor(route)}?${once}`)
        expect(status, `?${once} ${body}`).toBeLessThan(500)
        const twice = await sent(route, `${pathFor(route)}?${once}&${once}`)
        expect(twice.status, `?${once} twice ${twice.body}`).toBe(400)
      })
      for (const query of [name, `${name}=`, `${name}[]=1`, `${name}[a]=1`, `__proto__[x]=1&__proto__=1`]) {
        const { status, body } = await sent(route, `${pathFor(route)}?${query}`)
        expect(status, `?${query} ${body}`).toBeLessThan(500)
      }
    }
  })
})

async function check(
  route: Route,
  o: { path: string; body: unknown; valid: ValidateFunction },
): Promise<void> {
  const { status, body } = await sent(route, o.path, o.body)
  const says = `${JSON.stringify(o.body)?.slice(0, 400)} -> ${status} ${body.slice(0, 400)}`
  expect(status, says).toBeLessThan(500)
  // What JSON cannot hold, it leaves out or turns into null.
  const arrives = JSON.parse(JSON.stringify(o.body) ?? 'null')
  if (!o.valid(arrives)) expect([400, 413], says).toContain(status)
  if (status < 400) return
  const { error } = JSON.parse(body)
  expect(error.message, says).toMatch(/^[^\n\u0000-\u001f]{1,600}$/)
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** By node:http, which sends an address as it is: no `..` is resolved on this side. */
async function sent(route: Route, path: string, body?: unknown): Promise<{ status: number; body: string }> {
  const bytes = route.upload ? 'bytes' : route.body ? JSON.stringify(body) : undefined
  const asked = request(cluster.url, {
    agent,
    path,
    method: route.method,
    headers: {
      authorization: `Bearer ${cluster.key}`,
      'content-type': route.body ? 'application/json' : 'text/plain',
      'content-length': Buffer.byteLength(bytes ?? ''),
    },
  })
  asked.end(bytes)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: answer.statusCode!, body: await text(answer) }
}

/** Many at a time, as careless programs do. */
async function each<T>(all: T[], act: (one: T) => Promise<void>): Promise<void> {
  const left = all[Symbol.iterator]()
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (const one of left) await act(one)
    }),
  )
}

type Place = (string | number)[]

/** Every field of a document, the document itself first. */
function placesOf(value: unknown, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [at]
  return [at, ...Object.entries(value).flatMap(([k, v]) => placesOf(v, [...at, k]))]
}

function changed(value: unknown, [first, ...rest]: Place, to: unknown): unknown {
  if (first === undefined) return to
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) }
  ;(copy as Record<string, unknown>)[first] = changed((value as Record<string, unknown>)[first], rest, to)
  return copy
}

const namesOf = (schema: object) => Object.keys((schema as { properties: object }).properties)
