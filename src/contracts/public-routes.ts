import * as ask from './ask.ts'
import * as auth from './auth.ts'
import * as kb from './kb.ts'
import * as models from './models.ts'
import * as objects from './objects.ts'
import type { Route } from './route.ts'
import * as sessions from './sessions.ts'
import * as status from './status.ts'
import * as tasks from './tasks.ts'

/** Every route that clients may call: what the gateway forwards and documents. */
export const publicRoutes: Route[] = [ask, models, sessions, kb, objects, tasks, auth, status]
  .flatMap(area => Object.values(area) as unknown[])
  .filter(isPublic)

function isPublic(value: unknown): value is Route {
  return (
    typeof value === 'object' &&
    value !== null &&
    'path' in value &&
    String(value.path).startsWith('/api/v1/')
  )
}
