import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'rabbitmq-client'
import type { AmqpConfig } from '../../../contracts/bus.ts'

/** Seconds; a frozen broker is given up after two of them, with the library's own grace 12 s. */
const HEARTBEAT_S = 5
const CONNECT_MS = 5_000
/** Longer than any wait of ours, so that a channel ends with its connection and not by a timer of its own. */
const ACQUIRE_MS = 30_000

const SHORTEST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

export interface Tuning {
  name: string
  /** Only to measure what it is worth; on. */
  noDelay?: boolean
}

/** For one connection to one broker. Reads the files now; throws what reading them throws. */
export function connectionOptions(
  c: AmqpConfig,
  broker: AmqpConfig['brokers'][number],
  { name, noDelay = true }: Tuning,
): ConnectionOptions {
  const file = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path))
  return {
    hostname: broker.host,
    port: broker.port,
    vhost: c.vhost ?? '/',
    username: c.user,
    password: readFileSync(c.passwordFile, 'utf8').trim(),
    connectionName: name,
    heartbeat: HEARTBEAT_S,
    connectionTimeout: CONNECT_MS,
    acquireTimeout: ACQUIRE_MS,
    noDelay,
    ...(c.tls && { tls: { ca: file(c.tls.ca), cert: file(c.tls.cert), key: file(c.tls.key) } }),
  }
}

/** Ms before try `n`, counted from 1: doubled each time, and half of it by chance, so that services do not come back as one. */
export function pauseBefore(n: number, random = Math.random()): number {
  const full = Math.min(SHORTEST_PAUSE_MS * 2 ** (n - 1), LONGEST_PAUSE_MS)
  return full / 2 + (full / 2) * random
}
