import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Secret } from '../../secret.ts'
import type { Running } from './carrier.ts'
import type { Exec } from './connection.ts'

/** Gives a command its input, and its end. */
export function feed(running: Running, stdin: Exec['stdin']): void {
  if (stdin instanceof Readable) {
    // A command need not read its input to the end.
    pipeline(stdin, running.stdin).catch(() => running.stdin.destroy())
    return
  }
  running.stdin.end(stdin instanceof Secret ? stdin.reveal() : (stdin ?? ''))
}
