import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A folder of the test's own, gone when it ends. Short, because a unix socket's path holds 107 bytes. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lao-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
