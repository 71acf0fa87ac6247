import { rmSync } from 'node:fs'
import type { Paths } from './paths.ts'

/** Removes everything of a one-machine cluster: what it stored, its logs, its sockets. The CLI's list of other clusters stays. */
export function purgeLocal(paths: Paths): void {
  for (const folder of [paths.data, paths.state, paths.run]) rmSync(folder, { recursive: true, force: true })
}
