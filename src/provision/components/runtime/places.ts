import { PROGRAMS } from '../../artifacts/fact.ts'

export const UNIT = 'llmagentos.service'
export const USER = 'llmagentos'
export const CONFIG = '/etc/llmagentos/runtime.json'
/** The store and what services remember; data, so it stays when the component leaves. */
export const STATE = '/var/lib/llmagentos-runtime'
/** Sockets, for the services' own user alone. */
export const RUN = '/run/llmagentos-runtime'
export const COMMAND = '/usr/local/bin/llmagentos'

export const NODE = `${PROGRAMS}/node`
export const RELEASE = `${PROGRAMS}/release`
/** Programs of a release look for packages in the folders above them. */
export const PACKAGES = `${PROGRAMS}/node_modules`
