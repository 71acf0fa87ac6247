import { Ajv2020 } from 'ajv/dist/2020.js'

export interface Operation {
  operationId: string
  parameters?: { in: string; name: string; required?: boolean; schema: object }[]
  requestBody?: { content: Record<string, { schema?: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema?: object }> }>
}
export interface Document {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { securitySchemes: Record<string, { type: string }> }
  security: Record<string, string[]>[]
}

export const operationsOf = (document: Document) =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method} ${path}`,
      path,
      method,
      operation,
    })),
  )

/** What the specification of OpenAPI 3.1 asks of a document and this one does not do. */
export function faultsOf(document: Document): string[] {
  const faults: string[] = []
  const must = (holds: unknown, says: string) => void (holds || faults.push(says))
  must(document.info?.title && document.info.version, 'info needs a title and a version')
  for (const wanted of document.security.flatMap(s => Object.keys(s)))
    must(document.components.securitySchemes[wanted], `there is no security scheme ${wanted}`)
  const names = new Set<string>()
  for (const { name, path, method, operation } of operationsOf(document)) {
    must(path.startsWith('/'), `${path} must begin with a slash`)
    must(['get', 'put', 'post', 'delete'].includes(method), `${name} has no known method`)
    must(operation.operationId && !names.has(operation.operationId), `${name} needs an id of its own`)
    names.add(operation.operationId)
    const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map(m => m[1]!).toSorted()
    const given = (operation.parameters ?? []).filter(p => p.in === 'path')
    must(
      given.every(p => p.required),
      `${name}: parameters of a path are required`,
    )
    must(
      given
        .map(p => p.name)
        .toSorted()
        .join() === inPath.join(),
      `${name}: the path has ${inPath.join()}, its parameters are ${given.map(p => p.name).join()}`,
    )
    for (const p of operation.parameters ?? [])
      must(compiles(p.schema), `${name}: ${p.name} has no valid schema`)
    must(Object.keys(operation.responses).length > 0, `${name} has no responses`)
    const contents = [operation.requestBody, ...Object.values(operation.responses)]
    for (const [status, response] of Object.entries(operation.responses)) {
      must(/^([1-5]\d\d|default)$/.test(status), `${name}: ${status} is no status`)
      must(response.description, `${name}: ${status} needs a description`)
    }
    for (const [type, { schema }] of contents.flatMap(c => Object.entries(c?.content ?? {}))) {
      must(/^[\w*+.-]+\/[\w*+.-]+$/.test(type), `${name}: ${type} is no media type`)
      must(!schema || compiles(schema), `${name}: ${type} has no valid schema`)
    }
  }
  return faults
}

const ajv = new Ajv2020({ strict: false })

function compiles(schema: object): boolean {
  try {
    ajv.compile(schema)
    return true
  } catch {
    return false
  }
}

/** The same schema, but a field that it does not name is a fault too. */
export function strict(schema: object): object {
  const copy = Object.fromEntries(
    Object.entries(schema).map(([k, v]) => [
      k,
      Array.isArray(v) ? v.map(inner) : k === 'enum' || k === 'const' ? v : inner(v),
    ]),
  )
  const named = 'properties' in copy && Object.keys(copy['properties'] as object).length > 0
  return named && 'type' in copy ? { additionalProperties: false, ...copy } : copy
}

const inner = (value: unknown) => (typeof value === 'object' && value !== null ? strict(value) : value)
