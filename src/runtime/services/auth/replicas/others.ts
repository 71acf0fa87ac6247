import type { Address, AuthConfig } from '../../../../contracts/config.ts'
import { EXIT, Failure } from '../../../../errors.ts'
import type { Calls, Peer } from '../../../transport.ts'

/** Another instance of auth: `auth HOST:PORT`, as a message names it. */
export interface Other {
  name: string
  peer: Peer
}

/** Addresses that mean every interface of the machine. */
const EVERYWHERE = ['0.0.0.0', '::']

/** All that the config names but the one that listens here; [] where there is one instance. Throws a Failure (2) when it is not among them. */
export function othersIn({ services, listen }: AuthConfig, calls: Calls): Other[] {
  const all = services['auth'] ?? []
  if (all.length <= 1) return []
  const self = all.findIndex((at, i) => nameOf(at) === nameOf(listen) || (i === 0 && isNearest(at, listen)))
  if (self < 0)
    throw new Failure(`The config of auth names ${all.length} instances, and none of them listens here.`, {
      exit: EXIT.usage,
      why: `It listens on ${nameOf(listen)}; the instances are ${all.map(nameOf).join(', ')}.`,
      next: 'Write `listen` as one of services.auth, or listen on 0.0.0.0 and put its own address first.',
    })
  return calls
    .peers('auth')
    .map((peer, i) => ({ peer, name: `auth ${nameOf(all[i]!)}` }))
    .toSpliced(self, 1)
}

/** Who listens everywhere is the first of the list, which is the nearest. */
const isNearest = (at: Address, listen: Address) =>
  'host' in listen && EVERYWHERE.includes(listen.host) && 'host' in at && at.port === listen.port

const nameOf = (at: Address) => ('socket' in at ? at.socket : `${at.host}:${at.port}`)
