import type { Duplex, Readable } from 'node:stream'
import type { Secret } from '../../secret.ts'

export type Text = string | Secret

/** Our way onto one node: SSH, or the local machine. It connects at its first use, once, and again after a cut at the next use. */
export interface Connection {
  readonly node: string
  /**
   * Runs one command. An exit code other than 0 is a result. Throws Cut when the connection is lost meanwhile, and Failure for a
   * node that cannot be reached (4), for sudo (3), for a deadline (8) and for `signal` (130); the last two end the command there.
   */
  exec(argv: string[], o: Exec): Promise<Ended>
  /** The file's bytes (at most 64 MiB), undefined when there is none. As root unless `root: false`. */
  read(path: string, o?: { root?: boolean; signal?: AbortSignal }): Promise<Buffer | undefined>
  /** Puts a whole file in place at once: seen are the old bytes or the new ones, also after a cut or a power failure. */
  write(path: string, body: Text | Buffer | Source, o: Write): Promise<void>
  /** TCP to the node's own loopback. */
  open(port: number): Promise<Duplex>
  close(): Promise<void>
}

export interface Exec {
  /** By user root directly, else by sudo. */
  root?: boolean
  stdin?: Text | Buffer | Readable
  /** Counted from the command's start on the node. */
  deadlineMs: number
  signal?: AbortSignal
  /** Of standard output and of standard error, each: beyond it, the middle is left out. 1 MiB unless told. */
  keepBytes?: number
  onLine?(line: string, from: 'stdout' | 'stderr'): void
}

export interface Ended {
  /** 128 + the signal's number where a signal ended it. */
  code: number
  signal?: string
  stdout: string
  stderr: string
}

export interface Write {
  mode: number
  /** `user:group`; without it, whoever writes owns it. */
  owner?: string
  /** As root unless false. */
  root?: boolean
  sha256?: string
  signal?: AbortSignal
}

/** Bytes that can be read again from any offset, so that an upload goes on where it was cut. */
export interface Source {
  bytes: number
  sha256: string
  from(offset: number): Readable
}
