import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ROLE_SCOPES, ROLES, type Role, SCOPES, type Scope } from '../../../../src/contracts/identity.ts'
import { publicRoutes } from '../../../../src/contracts/public-routes.ts'
import type { Route } from '../../../../src/contracts/route.ts'
import { silent } from '../../../../src/log.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { Metrics } from '../../../../src/runtime/metrics.ts'
import { buildApp } from '../../../../src/runtime/server/app.ts'
import { handle } from '../../../../src/runtime/server/handle.ts'
import { grantOf } from '../../../../src/runtime/services/auth/rights.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { tempFolder } from '../../../helpers/temp.ts'

/** The least role that holds each scope. A change of rights is a change here. */
const LEAST: Record<Scope, Role> = {
  ask: 'viewer',
  'models:read': 'viewer',
  'tasks:read': 'viewer',
  'data:read': 'viewer',
  'kb:read': 'viewer',
  'tasks:write': 'user',
  'data:write': 'user',
  'kb:write': 'user',
  keys: 'user',
  'kb:share': 'operator',
  'models:write': 'operator',
  status: 'operator',
  users: 'admin',
}

const holds = (role: Role, scope: Scope) => ROLES.indexOf(role) >= ROLES.indexOf(LEAST[scope])

test.each(ROLES)('a %s has exactly the scopes of the table', role => {
  expect([...ROLE_SCOPES[role]].sort()).toEqual(SCOPES.filter(s => holds(role, s)).sort())
})

test('every public route is open to exactly the roles that hold its scope', async () => {
  const socket = join(tempFolder(), 's.sock')
  const app = buildApp({ log: silent, metrics: new Metrics('test') })
  // The token is the name of the role: what a real one says is tested elsewhere.
  const verify = async (token: string) => ({
    user: 'u',
    key: 'k',
    role: token as Role,
    scopes: [...ROLE_SCOPES[token as Role]],
  })
  for (const route of publicRoutes) handle(app, bare(route), verify, async () => ({}) as never)
  await app.listen({ path: socket })
  const calls = new Calls('gateway', { any: [{ socket }] })
  onTestFinished(() => calls.close().then(() => app.close()))

  const peer = calls.peers('any' as never)[0]!
  const wrong: string[] = []
  for (const route of publicRoutes) {
    const params = { id: 'i', name: 'n', '*': 'x', kb: 'k', doc: 'd' }
    for (const role of [...ROLES, undefined]) {
      const hop = { ...ownHop(), token: role }
      const reply = await calls.raw(bare(route), hop, { params: params as never, peer })
      await reply.body.text()
      const expected = role === undefined ? 401 : !route.scope || holds(role, route.scope) ? 'ok' : 403
      const got = reply.status < 300 ? 'ok' : reply.status
      if (got !== expected) wrong.push(`${route.method} ${route.path} as ${role}: ${got}, not ${expected}`)
    }
  }
  expect(wrong).toEqual([])
})

test.each(ROLES)('no key that a %s makes for whatever role can do more than both', creator => {
  for (const role of ROLES) {
    for (const scope of SCOPES) {
      const grant = grantOf({
        asked: { scopes: [scope] },
        creator: { scopes: [...ROLE_SCOPES[creator]], limits: {} },
        role,
      })
      expect('exceeds' in grant, `${creator} gives ${scope} to ${role}`).toBe(
        !(holds(creator, scope) && holds(role, scope)),
      )
    }
  }
})

/** Rights are checked after the shape of a request; here only rights are asked about. */
const bare = (route: Route): Route => ({
  ...route,
  params: undefined,
  query: undefined,
  body: undefined,
  upload: undefined,
})
