import { rmSync } from 'node:fs'
import { waitFor } from '../../retry.ts'
import type { Paths } from './paths.ts'
import { findRunning, forgetRunning, isAlive } from './process.ts'

/** A little more than the services themselves take at most. */
const STOP_MS = 30_000

/** Stops the background process; 'killed' when it had to be forced, 'absent' when none ran. Nothing stored is touched. */
export async function stopLocal(paths: Paths, signal: AbortSignal): Promise<'stopped' | 'killed' | 'absent'> {
  const running = findRunning(paths)
  if (!running) {
    forgetRunning(paths)
    return 'absent'
  }
  process.kill(running.pid, 'SIGTERM')
  const gone = () => (isAlive(running) ? undefined : true)
  const ended = await waitFor(
    { says: 'the services to stop', deadlineMs: STOP_MS, everyMs: 20, signal },
    gone,
  ).catch(() => false)
  if (!ended && isAlive(running)) {
    process.kill(running.pid, 'SIGKILL')
    await waitFor({ says: 'the killed services to be gone', deadlineMs: 5_000, everyMs: 20 }, gone)
  }
  forgetRunning(paths)
  rmSync(paths.run, { recursive: true, force: true })
  return ended ? 'stopped' : 'killed'
}
