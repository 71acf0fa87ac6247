import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/assets.ts'
import type { Route } from '../../src/contracts/route.ts'
import { sources } from './sources.ts'

/** Any key may ask who it is; nothing else is open to a key without a scope. */
const WITHOUT_SCOPE = ['GET /api/v1/whoami']

const routes = await Promise.all(
  sources('src/contracts').map(async ({ file }) =>
    Object.entries((await import(join(packageRoot(), file))) as Record<string, unknown>)
      .filter((entry): entry is [string, Route] => isRoute(entry[1]))
      .map(([name, r]) => ({ name: `${file} ${name}`, where: `${r.method} ${r.path}`, r })),
  ),
).then(lists => lists.flat())

test('there are routes', () => {
  expect(routes.length).toBeGreaterThan(20)
})

test('every route says what it does and what it replies', () => {
  const poor = routes.filter(
    ({ r }) => !r.says.trim() || r.says.endsWith('.') || Object.keys(r.replies).length === 0,
  )
  expect(poor.map(p => p.name)).toEqual([])
})

test('no method and path is given twice, whatever its parameters are called', () => {
  const shapes = routes.map(({ r }) => `${r.method} ${r.path.replace(/:\w+/g, ':')}`)
  expect(shapes.filter((s, i) => shapes.indexOf(s) !== i)).toEqual([])
})

test('a public route lies under /api/v1 and needs a scope', () => {
  const wrong = routes
    .filter(({ r }) => !r.path.startsWith('/internal/'))
    .filter(
      ({ r, where }) =>
        !r.path.startsWith('/api/v1/') || r.callers || !(r.scope || WITHOUT_SCOPE.includes(where)),
    )
  expect(wrong.map(p => `${p.name}: ${p.where}`)).toEqual([])
})

test('an internal route names who may call it and no scope', () => {
  const wrong = routes
    .filter(({ r }) => r.path.startsWith('/internal/'))
    .filter(({ r }) => !r.callers?.length || r.scope)
  expect(wrong.map(p => `${p.name}: ${p.where}`)).toEqual([])
})

test('the parameters of a path are the ones its schema names', () => {
  const wrong = routes.filter(({ r }) => {
    const inPath = [...r.path.matchAll(/:(\w+)|\*$/g)].map(m => m[1] ?? '*').sort()
    const properties = (r.params as { properties?: object } | undefined)?.properties ?? {}
    return inPath.join() !== Object.keys(properties).sort().join()
  })
  expect(wrong.map(p => `${p.name}: ${p.where}`)).toEqual([])
})

function isRoute(value: unknown): value is Route {
  return (
    typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'replies' in value
  )
}
