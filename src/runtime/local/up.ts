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
import { serves, serving } from './running.ts'
import { readSettings } from './settings.ts'
import { startLocal } from './start.ts'
import { stopLocal } from './stop.ts'
import { inTurn } from './turn.ts'

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
  return (await unchanged(asked, paths, o)) ?? inTurn(paths, o, () => brought(asked, paths, o))
}

/** What runs, when it is as wanted and there is nothing to do; undefined in every other case, without waiting for anything. */
async function unchanged(asked: Asked, paths: Paths, o: Around): Promise<Up | undefined> {
  const { asBefore } = wanted(asked, paths, o)
  const running = findRunning(paths)
  if (!running || !asBefore || !(await serves(running).catch(() => false))) return undefined
  const clusters = new Clusters(o.env)
  if (!(await hasKey(clusters, running, o.signal))) return undefined
  return { changed: false, ...up(clusters, running) }
}

async function brought(asked: Asked, paths: Paths, o: Around): Promise<Up> {
  // Read only now: whoever had the turn before may have started it in another way than it ran until then.
  const { config, asBefore } = wanted(asked, paths, o)
  const found = await serving(paths, o.signal)
  const asWanted = found !== undefined && asBefore
  if (found && !asWanted) {
    o.onStep('Restarting the services, because their settings changed')
    await stopLocal(paths, o.signal)
  } else if (!found) o.onStep('Starting the services')
  if (!asWanted) await started(config, paths, o)
  const running = (await serving(paths, o.signal)) ?? endedAtOnce(paths)
  const clusters = new Clusters(o.env)
  const keyed = await hasKey(clusters, running, o.signal)
  if (!keyed) {
    o.onStep('Saving an API key')
    clusters.saveKey(LOCAL, await newAdminKey(config, o.signal))
  }
  return { changed: !asWanted || !keyed, ...up(clusters, running) }
}

/** How the services are to run, and whether they were last started so. */
function wanted(asked: Asked, paths: Paths, { env }: Around): { config: ProcessConfig; asBefore: boolean } {
  const before = remembered(paths)
  const config = localConfig(
    { ...before?.asked, ...given(asked) },
    { paths, env, settings: readSettings(paths) },
  )
  return { config, asBefore: JSON.stringify(before?.config) === JSON.stringify(config) }
}

function up(clusters: Clusters, { url, version }: Running): Omit<Up, 'changed'> {
  const { keyFile } = clusters.put({ name: LOCAL, urls: [url] })
  return { url, keyFile, version }
}

const given = (asked: Asked): Asked =>
  Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))

/** The store may still be held by a process that was just killed and whose last threads are ending: then starting is tried again. */
async function started(config: ProcessConfig, paths: Paths, o: Around): Promise<void> {
  if (await tryStart(config, paths, o)) return
  o.onStep('Another process holds the store; waiting for it')
  await waitFor({ says: 'the store', deadlineMs: 30_000, everyMs: 200, signal: o.signal }, () =>
    tryStart(config, paths, o),
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
