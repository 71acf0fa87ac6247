import { PROGRAMS } from '../../artifacts/fact.ts'

/** What a process of ours is called on a node: its unit, its user, and what it keeps. */
export const unitOf = (name: string) => `llmagentos-${name}.service`
/** Where it takes connections, for one that clients come to. */
export const socketOf = (name: string) => `llmagentos-${name}.socket`
export const userOf = (name: string) => `llmagentos-${name}`
export const configOf = (name: string) => `/etc/llmagentos/${name}.json`
/** What its services remember; systemd makes it for its user alone. */
export const stateOf = (name: string) => `/var/lib/llmagentos-${name}`

/** The store; data, so it stays when the component leaves. */
export const STORE = stateOf('data')
/** Hands changed files of `gateway.tls` to the gateway. */
export const TLS_JOB = 'llmagentos-gateway-tls.service'
/** What the gateway reads of the files of `gateway.tls`. */
export const TLS_COPY = '/run/llmagentos-gateway-tls'
export const EMBEDDED = `${STORE}/store`
/** The object storage that an embedded store can be moved to, for `data migrate`. */
export const MOVE_TO = '/etc/llmagentos/store.json'
/** All of our services on a node together. */
export const SLICE = 'llmagentos.slice'
export const COMMAND = '/usr/local/bin/llmagentos'

export const NODE = `${PROGRAMS}/node`
export const RELEASE = `${PROGRAMS}/release`
/** Programs of a release look for packages in the folders above them. */
export const PACKAGES = `${PROGRAMS}/node_modules`
