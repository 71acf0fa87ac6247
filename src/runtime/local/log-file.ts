import { copyFileSync, fstatSync, ftruncateSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Paths } from './paths.ts'

const MOST_BYTES = 10 * 1024 * 1024
const LOOK_MS = 1_000
const STDOUT = 1

/** What the services of a one-machine cluster print. */
export const logFileOf = (paths: Paths) => join(paths.state, 'log', 'services.log')

/**
 * Keeps a log from growing for ever while it is written to: one that is too long is copied to `FILE.1` and begun anew. It is copied and not
 * renamed, because the open file is our standard output, which Node cannot exchange; it was opened to append, so the next line stands first.
 * Does nothing where the output goes elsewhere. Returns how to end it.
 */
export function boundLog(
  file: string,
  o: { fd?: number; bytes?: number; everyMs?: number } = {},
): () => void {
  const { fd = STDOUT, bytes = MOST_BYTES, everyMs = LOOK_MS } = o
  const look = () => {
    try {
      const open = fstatSync(fd)
      const named = statSync(file)
      if (open.size <= bytes || open.ino !== named.ino || open.dev !== named.dev) return
      copyFileSync(file, `${file}.1`)
      ftruncateSync(fd)
    } catch {
      // A disk that is full, say: the next look tries again.
    }
  }
  look()
  const timer = setInterval(look, everyMs).unref()
  return () => clearInterval(timer)
}
