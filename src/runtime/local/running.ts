import { waitFor } from '../../retry.ts'
import { Peer } from '../transport.ts'
import type { Paths } from './paths.ts'
import { findRunning, type Running } from './process.ts'

/** The process that runs already, once it serves; one that is just ending is waited for, one that hangs is an error. */
export async function serving(paths: Paths, signal: AbortSignal): Promise<Running | undefined> {
  const says = 'the running services to answer or to end'
  const next = 'llmagentos cluster down, then up again'
  const found = await waitFor({ says, deadlineMs: 10_000, signal, next }, async () => {
    const running = findRunning(paths)
    return running ? (await serves(running)) && { running } : { running }
  })
  return found.running
}

/** undefined while its gateway is not ready; throws while it takes no connection. */
export async function serves(running: Running): Promise<true | undefined> {
  const gateway = new Peer('gateway', { url: running.url })
  const answer = await gateway.request({ method: 'GET', path: '/ready' }).finally(() => gateway.close())
  return answer.status === 200 || undefined
}
