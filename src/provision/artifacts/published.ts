import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT, Failure } from '../../errors.ts'
import type { Artifact, Making } from './artifact.ts'
import { download, fetchText, isRight } from './download.ts'
import type { Architecture } from './pinned.ts'
import { unpacked } from './unpacked.ts'

/** A program as those publish it who make it: archives for each processor, and beside them a list of their digests. */
export interface Published {
  name: string
  /** Folder of a version's files, without the last slash. A mirror holds it as NAME/vVERSION. */
  home(version: string): string
  /** Names of an archive, newest kind first: the first that the list has is taken. */
  files(arch: Architecture): string[]
  /** Lines of a sha256 and a file's name. */
  sums: string
  /** What it holds at least, for somebody who packed it otherwise is noticed so. */
  holds(version: string): string[]
}

/** Which digests were taken from a list, so that they are believed from then on whatever the list says. */
export interface Locked {
  get(file: string): string | undefined
  put(file: string, integrity: string): void
}

export const artifactName = (name: string, version: string, arch: Architecture) =>
  `${name}-${version}-linux-${arch}`

export const VERSION = /^\d{1,4}\.\d{1,4}\.\d{1,4}(-[a-z0-9]{1,12})?$/

/** Undefined where the name is of none of these. */
export function publishedNamed(name: string, all: Published[]): Artifact | undefined {
  const [, program, version, arch] = /^([a-z]+)-(.+)-linux-(x64|arm64)$/.exec(name) ?? []
  const found = all.find(one => one.name === program)
  if (!found || !VERSION.test(version!)) return undefined
  return {
    name,
    entries: making => entriesOf(found, { version: version!, arch: arch as Architecture }, making),
  }
}

interface Release {
  version: string
  arch: Architecture
}

async function entriesOf(program: Published, release: Release, o: Making) {
  const { file, integrity } = await chosen(program, release, o)
  const kept = join(o.cache, `${program.name}-${release.version}-${file}`)
  if (!existsSync(kept) || !(await isRight(kept, integrity)))
    await download({ url: `${homeOf(program, release, o)}/${file}`, integrity }, kept, o)
  const entries = await unpacked(kept, join(o.folder, program.name), o.env)
  // Its files are kept as an archive of ours from here on.
  await rm(kept, { force: true })
  const lacks = program.holds(release.version).filter(path => !entries.some(entry => entry.path === path))
  if (lacks.length > 0)
    throw new Failure(`${file} of ${program.name} ${release.version} lacks ${lacks.join(' and ')}.`, {
      exit: EXIT.preflight,
      why: 'it is packed in a way that this version of llmagentos does not know',
      next: `Name another release of ${program.name} in the file of the cluster.`,
    })
  return entries
}

/** What the lock says, else what the makers' list says, which then is locked. */
async function chosen(
  program: Published,
  release: Release,
  o: Making,
): Promise<{ file: string; integrity: string }> {
  const files = program.files(release.arch)
  const keyOf = (file: string) => `${program.name}/${release.version}/${file}`
  for (const file of files) {
    const integrity = o.locked?.get(keyOf(file))
    if (integrity) return { file, integrity }
  }
  const url = `${homeOf(program, release, o)}/${program.sums}`
  const list = digestsIn(await fetchText(url, join(o.folder, program.sums), o))
  const file = files.find(name => list.has(name))
  if (!file)
    throw new Failure(`There is no ${program.name} ${release.version} for ${release.arch}.`, {
      exit: EXIT.preflight,
      why: `its list of files names none of ${files.join(', ')}`,
      next: `Name another release of ${program.name} in the file of the cluster.`,
    })
  const integrity = list.get(file)!
  o.locked?.put(keyOf(file), integrity)
  return { file, integrity }
}

const homeOf = (program: Published, { version }: Release, { mirror }: Making) =>
  mirror ? `${mirror.replace(/\/+$/, '')}/${program.name}/v${version}` : program.home(version)

/** As sha256sum writes them, by name. */
function digestsIn(list: string): Map<string, string> {
  const lines = list.matchAll(/^([0-9a-f]{64}) [ *](?:\.\/)?(\S+)\s*$/gim)
  return new Map(
    [...lines].map(([, hex, file]) => [file!, `sha256-${Buffer.from(hex!, 'hex').toString('base64')}`]),
  )
}
