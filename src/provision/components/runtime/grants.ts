import type { FileItem } from '../../os/item.ts'
import { type Grant, secretOfGrant, type View } from '../component.ts'
import { grantsOf as busGrants, grantOf } from './bus.ts'
import type { Process } from './layout.ts'
import { MOVE_TO } from './places.ts'
import { s3ConfigOf, s3Grants } from './s3.ts'
import type { Config } from './schema.ts'
import type { Store } from './store.ts'

/** All that our services ask of the components that give something. */
export const grantsOf = (view: View<Config>): Grant[] => [...busGrants(view), ...s3Grants(view)]

/** Those that a process comes with: each by a secret, which systemd hands to its unit as a credential named after the capability. */
export function grantsFor(
  view: View<Config>,
  { process, store }: { process: Process; store: Store },
): Grant[] {
  const bus = grantOf(view, process)
  const s3 = store.kind === 's3' && process.services.includes('data') ? s3Grants(view) : []
  return [...(bus ? [bus] : []), ...s3]
}

export const credential = (grant: Grant) => `LoadCredential=${grant.of}:${secretFile(grant)}`

export const secretItem = (view: View<Config>, grant: Grant): FileItem => ({
  kind: 'file',
  path: secretFile(grant),
  text: view.secret(secretOfGrant(grant)),
  mode: 0o600,
  owner: 'root:root',
  says: `what the ${grant.of === 'amqp' ? 'broker' : 'object storage'} knows ${grant.as} by`,
})

/** Of the node that holds an embedded store while there is object storage: what `data migrate` reads to move it there. */
export function moveItems(view: View<Config>, node: string): FileItem[] {
  const [grant] = s3Grants(view)
  if (!grant) return []
  const to = { s3: s3ConfigOf(view, node, secretFile(grant)) }
  return [
    secretItem(view, grant),
    {
      kind: 'file',
      path: MOVE_TO,
      text: `${JSON.stringify(to, null, 2)}\n`,
      mode: 0o644,
      owner: 'root:root',
      says: 'where the store can be moved to',
    },
  ]
}

/** Root's file. */
const secretFile = (grant: Grant) => `/etc/llmagentos/${secretOfGrant(grant)}`
