import type { AskPassphrase } from './identities.ts'
import type { Host } from './options.ts'
import type { OnWeak } from './ssh.ts'
import type { AskPassword } from './sudo.ts'

export interface RunOptions {
  /** A known_hosts file of ours, beside those that the options name; enrolled keys go there. */
  knownHosts: string
  /** What `ssh -F` takes; ssh's usual files unless given. */
  config?: string
  env: NodeJS.ProcessEnv
  passphrase?: AskPassphrase
  sudoPassword?: AskPassword
  /** Milliseconds: for TCP, for handshake and login, and for a node to come back after a cut. */
  connectMs?: number
  handshakeMs?: number
  againMs?: number
  /** Ends what is being connected, with a Failure (130); what is connected stays until `close`. */
  signal?: AbortSignal
  onWeak?: OnWeak
}

const CONNECT_MS = 10_000
const HANDSHAKE_MS = 20_000
const KEEPALIVE_MS = 10_000

/** How long a machine is waited for: as its own options say, else as the run's do. */
export function patienceFor(host: Host | undefined, o: RunOptions, signal: AbortSignal) {
  return {
    connectMs: host?.connectMs ?? o.connectMs ?? CONNECT_MS,
    handshakeMs: o.handshakeMs ?? HANDSHAKE_MS,
    keepaliveMs: host?.keepaliveMs ?? KEEPALIVE_MS,
    keepaliveCount: host?.keepaliveCount ?? 3,
    signal,
    onWeak: o.onWeak,
  }
}
