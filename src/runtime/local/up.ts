import { whoami } from '../../contracts/auth.ts'
import type { ProcessConfig } from '../../contracts/config.ts'
import { EXIT, Failure } from '../../errors.ts'
import { waitFor } from '../../retry.ts'
import { Clusters } from '../client/clusters.ts'
import { Client } from '../client/index.ts'
import { newAdminKey } from './admin-key.ts'
import { type Asked, localConfig } from './config.ts'
import { LOCAL } from './name.ts'
import { type Paths, pathsOf } from './paths.ts'
import { findRunning, type Running } from './process.ts'
import { remembered } from './remembered.ts'
import { answers, serving } from './running.ts'
import { readSettings } from './settings.ts'
import { startLocal } from './start.ts'
import { stopLocal } from './stop.ts'

export interface Up {
  /** false: it was running already, as wanted, and nothing was done. */
  changed: boolean
  url: string
  keyFile: string
  version: string
}

interface Around {
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  /** Hears each step as it begins. */
  onStep(says: string): void
}

/** Makes sure that a one-machine cluster runs as it is wanted, and that this user has a key for it. What is not asked for stays as it was. */
export async function upLocal(asked: Asked, o: Around): Promise<Up> {
  const paths = pathsOf(LOCAL, o.env)
  const before = remembered(paths)
  const config = localConfig(
    { ...before?.asked, ...given(asked) },
    { paths, env: o.env, settings: readSettings(paths) },
  )
  const found = await serving(paths, o.signal)
  const asWanted = found !== undefined && JSON.stringify(before?.config) === JSON.stringify(config)
  if (found && !asWanted) {
    o.onStep('Restarting the services, because their settings changed')
    await stopLocal(paths, o.signal)
  } else if (!found) o.onStep('Starting the services')
  if (!asWanted) await started(config, paths, o)
  const running = findRunning(paths) ?? endedAtOnce(paths)
  const clusters = new Clusters(o.env)
  const known = clusters.put({ name: LOCAL, urls: [running.url] })
  const keyed = await hasKey(clusters, running, o.signal)
  if (!keyed) {
    o.onStep('Saving an API key')
    clusters.saveKey(LOCAL, await newAdminKey(config, o.signal))
  }
  return { changed: !asWanted || !keyed, url: running.url, keyFile: known.keyFile, version: running.version }
}

const given = (asked: Asked): Asked =>
  Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))

/**
 * Two `cluster up` at once: the store lets one of them start; the other waits for it. The store may also still be held by a process that was
 * just killed and whose last threads are ending, so starting is tried again meanwhile.
 */
async function started(config: ProcessConfig, paths: Paths, o: Around): Promise<void> {
  if (await tryStart(config, paths, o)) return
  o.onStep('Another process holds the store; waiting for it')
  await waitFor(
    { says: 'the other `cluster up`', deadlineMs: 30_000, everyMs: 200, signal: o.signal },
    async () => {
      const running = findRunning(paths)
      return running ? answers(running) : tryStart(config, paths, o)
    },
  )
}

/** undefined: another process holds the store. */
async function tryStart(config: ProcessConfig, paths: Paths, o: Around): Promise<true | undefined> {
  try {
    await startLocal(config, { cluster: LOCAL, paths, env: o.env, signal: o.signal })
    return true
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.exit === EXIT.locked) return undefined
    throw thrown
  }
}

function endedAtOnce(paths: Paths): never {
  throw new Failure('The services ended as soon as they had started.', {
    exit: EXIT.unhealthy,
    next: `See ${paths.state}/log.`,
  })
}

async function hasKey(clusters: Clusters, running: Running, signal: AbortSignal): Promise<boolean> {
  const key = clusters.key(LOCAL)
  if (!key) return false
  const client = new Client({ urls: [running.url], key, signal })
  try {
    await client.call(whoami)
    return true
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.exit === EXIT.unreachable) return false
    throw thrown
  } finally {
    await client.close()
  }
}
