import { sha256 } from '../../os/now.ts'
import type { Step } from '../../reconcile/step.ts'
import type { View } from '../component.ts'
import { blockEntities } from './block/plan.ts'
import { fileEntities } from './file/access.ts'
import { keyring } from './keys.ts'
import { ADMIN_SECRET, BOOTSTRAP_OSD_SECRET, daemonSecret, monNodes } from './names.ts'
import { rgwName, rgwNodes } from './object/gateways.ts'
import type { Config } from './schema.ts'
import { tell } from './tell.ts'
import type { Told } from './told.ts'

/** Somebody whom Ceph knows by a key, and what it may. */
export interface Entity {
  name: string
  secret: string
  caps: Record<string, string>
}

/** Everybody whose key is known beforehand. */
export const entities = (view: View<Config>): Entity[] => [
  {
    name: 'client.admin',
    secret: ADMIN_SECRET,
    caps: { mds: 'allow *', mgr: 'allow *', mon: 'allow *', osd: 'allow *' },
  },
  {
    name: 'client.bootstrap-osd',
    secret: BOOTSTRAP_OSD_SECRET,
    caps: { mon: 'allow profile bootstrap-osd' },
  },
  ...monNodes(view.cluster).map(node => ({
    name: `mgr.${node.name}`,
    secret: daemonSecret('mgr', node.name),
    caps: { mds: 'allow *', mon: 'allow profile mgr', osd: 'allow *' },
  })),
  ...rgwNodes(view.cluster, view.config).map(({ name }) => ({
    name: `client.${rgwName(name)}`,
    secret: daemonSecret('rgw', name),
    caps: { mgr: 'allow r', mon: 'allow rw', osd: 'allow rwx tag rgw *=*' },
  })),
  ...fileEntities(view),
  ...blockEntities(view),
]

/** Makes those whom the mons do not know, and puts back another key or other rights; through the mon of `node`. */
export const accessSteps = (view: View<Config>, { node, told }: { node: string; told: Told }): Step[] =>
  entities(view)
    .filter(entity => !isRight(view, told, entity))
    .map(({ name, secret, caps }) =>
      tell({
        node,
        says: told.auth[name] ? `put back the key or the rights of ${name}` : `let ${name} in`,
        risk: told.auth[name] ? 'change' : 'add',
        commands: [{ cmd: { prefix: 'auth import' }, in: keyring(name, view.secret(secret).reveal(), caps) }],
      }),
    )

export function isRight(view: View<Config>, told: Told, { name, secret, caps }: Entity): boolean {
  const found = told.auth[name]
  if (found?.key !== sha256(view.secret(secret))) return false
  const text = (all: Record<string, string>) => JSON.stringify(Object.entries(all).sort())
  return text(found.caps) === text(caps)
}
