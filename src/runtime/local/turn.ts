import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../retry.ts'
import { tryFlock } from '../flock.ts'
import { makeFolders, type Paths } from './paths.ts'

/** Longer than another one may take to stop the old services, start the new ones and save a key. */
const WAIT_MS = 120_000

/** Runs `act` while no other `cluster up` of this user does: one that comes meanwhile waits, and then finds what the first one made. */
export async function inTurn<T>(
  paths: Paths,
  o: { signal: AbortSignal; onStep(says: string): void },
  act: () => Promise<T>,
): Promise<T> {
  makeFolders(paths)
  let said = false
  const fd = await waitFor(
    { says: 'the other `cluster up`', deadlineMs: WAIT_MS, everyMs: 200, signal: o.signal },
    async () => {
      const taken = await tryFlock(join(paths.state, 'up.lock'))
      if (taken === undefined && !said) o.onStep('Another `cluster up` is at work; waiting for it')
      said = true
      return taken
    },
  )
  try {
    return await act()
  } finally {
    closeSync(fd)
  }
}
