import { parentPort, workerData } from 'node:worker_threads'
import { Refusal } from '../../refusal.ts'
import type { ParsedDocument } from './document.ts'
import { parse } from './parse.ts'

/** What a parse worker is started with. */
export interface Job {
  bytes: Uint8Array
  name: string
}

/** What it says, once. */
export type Outcome =
  | { document: ParsedDocument }
  | { refused: { status: number; code: string; message: string; next?: string } }
  | { failed: string }

const { bytes, name } = workerData as Job

parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), name).then(
  document => say({ document }),
  (thrown: unknown) => {
    if (thrown instanceof Refusal) {
      const { status, code, message, next } = thrown
      say({ refused: { status, code, message, next } })
    } else say({ failed: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) })
  },
)

function say(outcome: Outcome): void {
  parentPort?.postMessage(outcome)
}
