import { Clusters } from '../client/clusters.ts'
import { LOCAL } from './name.ts'
import { pathsOf } from './paths.ts'
import { purgeLocal } from './purge.ts'
import { stopLocal } from './stop.ts'

export { LOCAL } from './name.ts'
export { upLocal } from './up.ts'

/** Stops the one-machine cluster; with `purge` everything of it goes, except the list of other clusters. */
export async function downLocal(o: {
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  purge: boolean
}): Promise<'stopped' | 'killed' | 'absent'> {
  const paths = pathsOf(LOCAL, o.env)
  const how = await stopLocal(paths, o.signal)
  if (o.purge) {
    purgeLocal(paths)
    new Clusters(o.env).forget(LOCAL)
  }
  return how
}
