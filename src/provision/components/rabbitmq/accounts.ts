import { Secret } from '../../../secret.ts'
import { type Step, step } from '../../reconcile/step.ts'
import { type Grant, secretOfGrant, type View } from '../component.ts'
import { SEND } from './api.ts'
import type { Told } from './broker.ts'
import { ADMIN, ADMIN_SECRET, VHOST } from './names.ts'
import type { Config } from './schema.ts'

const DEADLINE_MS = 60_000

/** Rights of one service: patterns of names, each as RabbitMQ means it. */
export interface Rights {
  configure: string
  write: string
  read: string
}

/** Without a word about it: what belongs to this cluster, by the beginning of its name. */
export function rightsOf(grant: Grant, { cluster }: View<Config>): Rights {
  const own = `^${cluster.name}\\.`
  const said = (right: string) => (typeof grant[right] === 'string' ? (grant[right] as string) : own)
  return { configure: said('configure'), write: said('write'), read: said('read') }
}

/** Makes users and rights as the grants want them, through the broker of one node; all brokers of a cluster have the same. */
export function accountSteps(view: View<Config>, { node, told }: { node: string; told: Told }): Step[] {
  const send = (o: Omit<Sending, 'node'>) => sending({ node, ...o })
  const vhost = encodeURIComponent(VHOST)
  return [
    ...(told.vhosts.includes(VHOST)
      ? []
      : [send({ to: `/api/vhosts/${vhost}`, body: {}, says: `add the virtual host ${VHOST}` })]),
    ...(rightsAre(told, { user: ADMIN, rights: ALL })
      ? []
      : [send({ to: `/api/permissions/${vhost}/${ADMIN}`, body: ALL, says: `give ${ADMIN} all rights` })]),
    ...view.grants.flatMap(grant => {
      const found = told.users.find(user => user.name === grant.as)
      const password = view.secret(secretOfGrant(grant)).reveal()
      const rights = rightsOf(grant, view)
      const who = encodeURIComponent(grant.as)
      return [
        ...(found && found.tags === '' && found.knows(password)
          ? []
          : [
              send({
                to: `/api/users/${who}`,
                body: { password, tags: '' },
                says: found ? `put back the user ${grant.as}, without tags` : `add the user ${grant.as}`,
              }),
            ]),
        ...(rightsAre(told, { user: grant.as, rights })
          ? []
          : [
              send({
                to: `/api/permissions/${vhost}/${who}`,
                body: rights,
                says: `let ${grant.as} configure ${rights.configure}, write ${rights.write}, read ${rights.read}`,
              }),
            ]),
      ]
    }),
    ...(told.users.some(user => user.name === 'guest')
      ? [send({ method: 'DELETE', to: '/api/users/guest', says: 'remove the user guest' })]
      : []),
  ]
}

const ALL: Rights = { configure: '.*', write: '.*', read: '.*' }

const rightsAre = ({ permissions }: Told, o: { user: string; rights: Rights }) =>
  permissions.some(
    p =>
      p.user === o.user &&
      p.vhost === VHOST &&
      p.configure === o.rights.configure &&
      p.write === o.rights.write &&
      p.read === o.rights.read,
  )

interface Sending {
  node: string
  method?: 'PUT' | 'DELETE'
  to: string
  body?: object
  says: string
}

function sending({ node, method = 'PUT', to, body, says }: Sending): Step {
  return step({
    node,
    says,
    risk: method === 'PUT' ? 'add' : 'change',
    deadlineMs: DEADLINE_MS,
    act: {
      do: 'run',
      argv: ['bash', '-c', SEND, 'bash', method, to],
      stdin: new Secret(body ? JSON.stringify(body) : ''),
    },
  })
}

// The arguments of rabbitmqctl are seen by everybody, so it reads the password; from standard input, which our step's is.
const MEND = `set -eu
read -r password
printf '%s\\n' "$password" | rabbitmqctl -q change_password "$1" || printf '%s\\n' "$password" | rabbitmqctl -q add_user "$1"
rabbitmqctl -q set_user_tags "$1" administrator`

/** Our own user, where the broker does not know its password. */
export const mendAdmin = (view: View<Config>, node: string): Step =>
  step({
    node,
    says: `put back the user ${ADMIN}: its password is another one`,
    risk: 'change',
    deadlineMs: DEADLINE_MS,
    act: {
      do: 'run',
      argv: ['sh', '-c', MEND, 'sh', ADMIN],
      stdin: new Secret(`${view.secret(ADMIN_SECRET).reveal()}\n`),
    },
  })
