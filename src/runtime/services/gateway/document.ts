import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { RouteOptions } from 'fastify'
import { ApiError } from '../../../contracts/errors.ts'
import type { Route } from '../../../contracts/route.ts'
import { schemaOf } from '../../server/handle.ts'

export function openApi(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'llmagentos',
        version,
        description: 'The native API of a cluster. OpenAI clients use /v1.',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'lao_...' } } },
      security: [{ key: [] }],
    },
  }
}

/** A route's schemas with what OpenAPI wants beside them. */
export function documented(route: Route): NonNullable<RouteOptions['schema']> {
  const plain = Object.fromEntries(
    Object.entries(route.replies).map(([status, schema]) => [status, { description: route.says, ...schema }]),
  )
  return {
    ...schemaOf(route),
    summary: route.says,
    operationId: `${route.method.toLowerCase()} ${route.path}`,
    tags: [route.path.split('/')[3] ?? 'api'],
    response: { ...plain, default: { description: 'Refused', ...ApiError } },
  } as NonNullable<RouteOptions['schema']>
}

const TYPES = { lines: 'application/x-ndjson', events: 'text/event-stream', bytes: '*/*' }

interface Operation {
  requestBody?: object
  responses: Record<string, { content?: Record<string, object> }>
}

/** The document with the media types of what is no JSON: uploads, downloads and streams. */
export function withTypes<D extends object>(document: D, routes: Route[]): D {
  const copy = structuredClone(document) as D & { paths: Record<string, Record<string, Operation>> }
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{*}')
    const operation = copy.paths[path]?.[route.method.toLowerCase()]
    if (!operation) continue
    if (route.upload) operation.requestBody = { required: true, content: { '*/*': {} } }
    for (const [status, schema] of Object.entries(route.replies)) {
      const response = operation.responses[status]!
      const json = 'type' in schema || route.streams === 'events' ? response.content : {}
      if (route.streams) response.content = { ...json, [TYPES[route.streams]]: {} }
    }
  }
  return copy
}
