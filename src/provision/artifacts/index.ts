import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Source } from '../connections/connection.ts'
import { fileSource } from '../connections/files.ts'
import { writeArchive } from './archive.ts'
import type { Artifact, Making, Sources } from './artifact.ts'
import { bundle, searchIndex } from './bundle.ts'
import { node } from './node.ts'
import { ARCHITECTURES, type Architecture } from './pinned.ts'
import { type Published, publishedNamed } from './published.ts'
import { stamped } from './stamp.ts'

export interface Artifacts {
  bundle: Artifact
  node: Artifact
  searchIndex: Artifact
}

const known = new Map<Architecture, Artifacts>()

/** What nodes of this kind get from this installation. Reads our own programs once. Throws Failure (3) where the installation lacks one. */
export function artifactsFor(arch: Architecture): Artifacts {
  const found = known.get(arch) ?? { bundle: bundle(arch), node: node(arch), searchIndex: searchIndex(arch) }
  known.set(arch, found)
  return found
}

/** The bytes of an artifact by its name, made once and kept in the user's cache. */
export function artifactSource(
  env: NodeJS.ProcessEnv,
  from: Omit<Sources, 'env'> & { published?: Published[] } = {},
): (name: string) => Promise<Source> {
  const cache = join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'llmagentos')
  const making = new Map<string, Promise<Source>>()
  return name => {
    const source = making.get(name) ?? kept(name, { ...from, cache, env })
    making.set(name, source)
    return source
  }
}

type Around = Omit<Making, 'folder'> & { published?: Published[] }

async function kept(name: string, o: Around): Promise<Source> {
  mkdirSync(o.cache, { recursive: true, mode: 0o700 })
  return (await intact(name, o)) ?? make(name, o)
}

/** A file in the cache has its digest in its name. */
async function intact(name: string, { cache }: Around): Promise<Source | undefined> {
  for (const file of readdirSync(cache)) {
    if (!file.startsWith(`${name}.`) || !file.endsWith('.tar.gz')) continue
    const source = await fileSource(join(cache, file))
    if (file === `${name}.${source.sha256}.tar.gz`) return source
    rmSync(join(cache, file), { force: true })
  }
  return undefined
}

async function make(name: string, o: Around): Promise<Source> {
  const artifact = artifactNamed(name, o.published ?? [])
  const folder = mkdtempSync(join(o.cache, '.making-'))
  try {
    const fresh = join(folder, `${randomUUID()}.tar.gz`)
    await writeArchive(stamped(name, await artifact.entries({ ...o, folder })), fresh)
    const { sha256 } = await fileSource(fresh)
    const file = join(o.cache, `${name}.${sha256}.tar.gz`)
    renameSync(fresh, file)
    return await fileSource(file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function artifactNamed(name: string, published: Published[]): Artifact {
  const arch = ARCHITECTURES.find(one => name.endsWith(`-linux-${one}`))
  const found =
    publishedNamed(name, published) ??
    (arch && Object.values(artifactsFor(arch)).find(artifact => artifact.name === name))
  if (!found) throw new Error(`this installation has no artifact ${name}`)
  return found
}
