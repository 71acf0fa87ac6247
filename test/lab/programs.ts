import { join } from 'node:path'
import { artifactSource, artifactsFor } from '../../src/provision/artifacts/index.ts'

/**
 * Puts what `cluster up` brings to nodes where an operator with this home looks first: her home is empty, and so says nothing of where packages
 * come from; this machine's settings do.
 */
export async function programsAtHand(home: string): Promise<void> {
  const source = artifactSource({ ...process.env, XDG_CACHE_HOME: join(home, 'cache') })
  for (const { name } of Object.values(artifactsFor(process.arch === 'arm64' ? 'arm64' : 'x64')))
    await source(name)
}
